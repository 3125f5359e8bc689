// SPDX-License-Identifier: MIT
#include "plugin/latency_watch.h"

namespace unetseg {
namespace {

// Frames between two looks at whether the latency that was told still holds.
constexpr guint64 kInterval = 64;

// The network looks at each copy of a frame.
guint64 estimate(const Inference& model, UnetsegTta tta) {
  const guint64 copies = tta == UNETSEG_TTA_D4 ? 8 : tta == UNETSEG_TTA_FLIPS ? 4 : 1;
  return model.warm_up_time() * copies;
}

}  // namespace

void LatencyWatch::begin(const Inference& model, UnetsegTta tta) {
  latency_ = estimate(model, tta);
  frames_ = 0;
}

void LatencyWatch::begin_anew(const Inference& model, UnetsegTta tta, bool tell) {
  statistics_->forget_times();
  change(estimate(model, tta), tell);
}

void LatencyWatch::after_frame(bool tell) {
  if (++frames_ % kInterval != 0 || !tell || statistics_->timed_inferences() < kInterval) return;
  change(statistics_->inference_time(0.95), tell);
}

// Small changes are not worth it: each message makes all sinks start anew.
void LatencyWatch::change(guint64 latency, bool tell) {
  const guint64 told = latency_;
  if (latency <= told + told / 2 && latency >= told / 2) return;
  latency_ = latency;
  if (tell) gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_)));
}

}  // namespace unetseg
