// SPDX-License-Identifier: MIT
// How long frames that wait for their masks are held up, as live sinks have to know.
#pragma once

#include <gst/gst.h>

#include <atomic>

#include "model/backend/backend.h"
#include "plugin/inference.h"
#include "plugin/statistics.h"

namespace unetseg {

// Estimated by what the model's warm-up took, until inferences of frames have been timed.
class LatencyWatch {
 public:
  // The arguments are borrowed.
  LatencyWatch(GstElement* element, Statistics* statistics)
      : element_(element), statistics_(statistics) {}

  // Any thread. Nanoseconds, as last told.
  guint64 latency() const { return latency_; }

  // While no data flows: nothing is told.
  void begin(const Inference& model, UnetsegTta tta);
  // Any thread. Another model or number of copies: what was measured holds no more. `tell`: whether
  // frames wait at all.
  void begin_anew(const Inference& model, UnetsegTta tta, bool tell);
  // Streaming thread, after each frame. Inference that has become much slower or faster changes
  // what a live pipeline has to wait for.
  void after_frame(bool tell);

 private:
  void change(guint64 latency, bool tell);

  GstElement* element_;
  Statistics* statistics_;
  std::atomic<guint64> latency_{0};
  guint64 frames_ = 0;  // streaming thread
};

}  // namespace unetseg
