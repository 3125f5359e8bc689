// SPDX-License-Identifier: MIT
// A pipeline of a test, and what comes by its bus.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "tests/check.h"

// Any ERROR on the bus fails the test, unless it is waited for.
class Pipeline {
 public:
  explicit Pipeline(const std::string& launch) {
    GError* error = nullptr;
    pipeline_ = gst_parse_launch(launch.c_str(), &error);
    ck_assert_msg(error == nullptr, "%s", error ? error->message : "");
    gst_object_ref_sink(pipeline_);
    bus_ = gst_element_get_bus(pipeline_);
  }
  ~Pipeline() {
    set(GST_STATE_NULL);
    gst_object_unref(bus_);
    gst_object_unref(pipeline_);
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  GstElement* get() const { return pipeline_; }
  // Borrowed from the pipeline, which keeps it.
  GstElement* element(const char* name) const {
    GstElement* found = gst_bin_get_by_name(GST_BIN(pipeline_), name);
    ck_assert_msg(found != nullptr, "there is no element %s", name);
    gst_object_unref(found);
    return found;
  }
  GstPad* pad(const char* name, const char* pad_name) const {
    GstPad* found = gst_element_get_static_pad(element(name), pad_name);
    ck_assert_msg(found != nullptr, "%s has no pad %s", name, pad_name);
    gst_object_unref(found);
    return found;
  }
  void set(GstState state) {
    ck_assert_int_ne(gst_element_set_state(pipeline_, state), GST_STATE_CHANGE_FAILURE);
  }
  // Waits until it is there.
  void reach(GstState state) {
    set(state);
    while (gst_element_get_state(pipeline_, nullptr, nullptr, 10 * GST_MSECOND) ==
           GST_STATE_CHANGE_ASYNC)
      take_messages();
  }
  // Takes messages until one of `type` that `is_wanted`. Check ends a test that waits in vain.
  void wait_for(
      GstMessageType type,
      const std::function<bool(GstMessage*)>& is_wanted = [](GstMessage*) { return true; }) {
    for (bool found = false; !found;) {
      GstMessage* message = gst_bus_timed_pop(bus_, GST_CLOCK_TIME_NONE);
      found = GST_MESSAGE_TYPE(message) == type && is_wanted(message);
      take(message);
    }
  }
  void wait_for_named(const char* name) {
    wait_for(GST_MESSAGE_ELEMENT,
             [name](GstMessage* message) { return gst_message_has_name(message, name); });
  }
  // Called with the structure of each message `unetseg` that is taken from now on.
  void on_result(std::function<void(const GstStructure*)> call) { on_result_ = std::move(call); }
  void take_messages() {
    while (GstMessage* message = gst_bus_pop(bus_)) take(message);
  }

 private:
  void take(GstMessage* message) {
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gchar* detail = nullptr;
      gst_message_parse_error(message, &error, &detail);
      ck_abort_msg("%s (%s)", error->message, detail ? detail : "");
    }
    if (on_result_ && gst_message_has_name(message, "unetseg"))
      on_result_(gst_message_get_structure(message));
    gst_message_unref(message);
  }

  GstElement* pipeline_;
  GstBus* bus_;
  std::function<void(const GstStructure*)> on_result_;
};

// A count among the element's `stats`.
inline guint64 stat_of(GstElement* net, const char* field) {
  GstStructure* stats = nullptr;
  g_object_get(net, "stats", &stats, nullptr);
  guint64 value = 0;
  ck_assert(gst_structure_get_uint64(stats, field, &value));
  gst_structure_free(stats);
  return value;
}

// Counts the buffers that come by a pad, and those of them that carry a mask with a lesion.
class Counter {
 public:
  explicit Counter(GstPad* pad) : pad_(GST_PAD(gst_object_ref(pad))) {
    probe_ = gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, on_buffer, this, nullptr);
  }
  ~Counter() {
    gst_pad_remove_probe(pad_, probe_);
    gst_object_unref(pad_);
  }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  int buffers() const { return buffers_; }
  int lesions() const { return lesions_; }
  // Of the newest lesion, in pixels.
  double area() const { return area_; }
  // Waits for `n` more of them. Check ends a test that waits in vain.
  void wait_for_buffers(Pipeline& pipeline, int n) const { wait(pipeline, buffers_, n); }
  void wait_for_lesions(Pipeline& pipeline, int n) const { wait(pipeline, lesions_, n); }

 private:
  static void wait(Pipeline& pipeline, const std::atomic<int>& count, int n) {
    for (const int enough = count + n; count < enough; g_usleep(1000)) pipeline.take_messages();
  }
  static GstPadProbeReturn on_buffer(GstPad*, GstPadProbeInfo* info, gpointer data) {
    Counter& self = *static_cast<Counter*>(data);
    ++self.buffers_;
    GstCustomMeta* meta = gst_buffer_get_custom_meta(GST_PAD_PROBE_INFO_BUFFER(info), "unetseg");
    gboolean found = FALSE;
    double area = 0;
    if (meta != nullptr)
      gst_structure_get(gst_custom_meta_get_structure(meta), "found", G_TYPE_BOOLEAN, &found,
                        "area", G_TYPE_DOUBLE, &area, nullptr);
    self.area_ = area;
    if (found) ++self.lesions_;
    return GST_PAD_PROBE_OK;
  }

  GstPad* pad_;
  gulong probe_;
  std::atomic<int> buffers_{0}, lesions_{0};
  std::atomic<double> area_{0};
};
