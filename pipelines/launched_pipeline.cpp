// SPDX-License-Identifier: MIT
#include "launched_pipeline.h"

#include <gst/app/app.h>

namespace {

// GStreamer's own words, in the language of the system; and what to do, where it is unetseg that is
// not found.
std::string launch_error(const GError* error) {
  std::string text = error->message;
  if (g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT) &&
      text.find("unetseg") != std::string::npos)
    text += ": install it, or run this in the shell that `meson devenv -C build -w \"$PWD\"` opens";
  return text;
}

}  // namespace

LaunchedPipeline::LaunchedPipeline(const std::string& description) {
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(description.c_str(), &error);
  if (error == nullptr) return;
  error_ = launch_error(error);
  g_error_free(error);
  gst_clear_object(&pipeline_);  // what was built of it would run, and fail for another reason
}

LaunchedPipeline::~LaunchedPipeline() {
  if (pipeline_ == nullptr) return;
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  gst_object_unref(pipeline_);
}

GstElement* LaunchedPipeline::element(const char* name) const {
  if (pipeline_ == nullptr) return nullptr;
  GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_), name);
  if (found != nullptr) gst_object_unref(found);
  return found;
}

bool LaunchedPipeline::play() {
  if (pipeline_ == nullptr) return false;
  return gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

Sample LaunchedPipeline::pull(const char* name) {
  GstAppSink* sink = GST_APP_SINK(element(name));
  for (;;) {
    if (GstSample* sample = gst_app_sink_try_pull_sample(sink, 20 * GST_MSECOND))
      return Sample(sample);
    if (gst_app_sink_is_eos(sink) || has_failed()) return nullptr;
  }
}

std::string LaunchedPipeline::error() {
  if (error_.empty() && pipeline_ != nullptr && !has_failed())
    error_ = "it ended without a picture";
  return error_;
}

bool LaunchedPipeline::has_failed() {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (message == nullptr) return false;
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  gst_message_unref(message);
  error_ = error->message;
  g_error_free(error);
  return true;
}
