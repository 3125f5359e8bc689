// SPDX-License-Identifier: MIT
// What the element is where a network runs on a GPU and GStreamer has no memory there.
#pragma once

#include "tests/plugin/bench.h"

inline void assert_frames_stay_in_system_memory() {
  Bench bench({{"device", "cuda"}});
  const unetseg::PadPtr pad(gst_element_get_static_pad(bench.element(), "sink"));
  const CapsPtr caps(gst_pad_query_caps(pad.get(), nullptr));
  ck_assert_uint_eq(gst_caps_get_size(caps.get()), 1);
  ck_assert(gst_caps_features_is_equal(gst_caps_get_features(caps.get(), 0),
                                       GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY));
  const QueryPtr query(gst_query_new_context("gst.cuda.context"));
  ck_assert(!gst_pad_query(pad.get(), query.get()));
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  ck_assert_int_eq(bench.push(bytes_buffer(64, 200)), GST_FLOW_OK);
  ck_assert(bench.pull() != nullptr);
  GstMessage* message =
      gst_bus_pop_filtered(GST_ELEMENT_BUS(bench.element()),
                           static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING |
                                                       GST_MESSAGE_HAVE_CONTEXT));
  ck_assert_msg(message == nullptr, "%s", GST_MESSAGE_TYPE_NAME(message));
}
