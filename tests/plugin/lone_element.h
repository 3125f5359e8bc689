// SPDX-License-Identifier: MIT
// An element without neighbours, for starts that fail.
#pragma once

#include "tests/plugin/bench.h"

class LoneElement {
 public:
  explicit LoneElement(const Properties& properties)
      : element_(GST_ELEMENT(gst_object_ref_sink(make_element(properties)))), bus_(gst_bus_new()) {
    gst_element_set_bus(element_, bus_);
  }
  // Going to NULL must succeed whatever was before.
  ~LoneElement() {
    ck_assert_int_eq(set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
    gst_element_set_bus(element_, nullptr);
    gst_object_unref(element_);
    gst_object_unref(bus_);
  }
  LoneElement(const LoneElement&) = delete;
  LoneElement& operator=(const LoneElement&) = delete;

  GstStateChangeReturn set(GstState state) { return gst_element_set_state(element_, state); }
  GstElement* get() const { return element_; }
  std::vector<Notice> errors() { return take_notices(bus_, GST_MESSAGE_ERROR); }
  std::vector<Notice> warnings() { return take_notices(bus_, GST_MESSAGE_WARNING); }

 private:
  GstElement* element_;
  GstBus* bus_;
};
