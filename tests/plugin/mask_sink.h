// SPDX-License-Identifier: MIT
// A sink for the mask pad of a bench's element.
#pragma once

#include "tests/plugin/bench.h"

// Linked at once.
class MaskSink {
 public:
  explicit MaskSink(Bench& bench)
      : element_(bench.element()),
        harness_(gst_harness_new_with_element(element_, nullptr, "mask")) {}
  ~MaskSink() { gst_harness_teardown(harness_); }
  MaskSink(const MaskSink&) = delete;
  MaskSink& operator=(const MaskSink&) = delete;

  GstHarness* harness() const { return harness_; }
  BufferPtr pull() { return BufferPtr(gst_harness_try_pull(harness_)); }

 private:
  GstElement* element_;
  GstHarness* harness_;
};
