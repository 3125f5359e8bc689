// SPDX-License-Identifier: MIT
// What happens to a frame on the streaming thread: sampled, inferred, and sent out with a mask.
#pragma once

#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "plugin/errors.h"
#include "plugin/fault_policy.h"
#include "plugin/frame_map.h"
#include "plugin/lateness.h"
#include "plugin/mask_branch.h"
#include "plugin/outlet.h"
#include "plugin/pending_frame.h"
#include "plugin/pointers.h"
#include "plugin/results.h"
#include "plugin/segmenter.h"
#include "plugin/settings.h"
#include "plugin/statistics.h"

namespace unetseg {

// Functions belong to the streaming thread, or run while there is none, but for those said to be
// any thread's. They throw Failure for what stops the stream; faults of single frames are answered
// as FrameSettings::on_error says.
class FramePath {
 public:
  // The arguments are borrowed. `source` is the pad that frames leave by.
  FramePath(GstElement* element, GstPad* source, Statistics* statistics);

  // Whether frames go on without waiting for their masks.
  static bool is_latest(Mode mode, bool live) {
    return mode == Mode::automatic ? live : mode == Mode::latest;
  }

  // From the next frame on. Null: no frames come.
  void use(std::shared_ptr<Inference> model) { segmenter_.use(std::move(model)); }

  // Forgets the caps and everything about the frames before, those that wait included.
  void reset();

  bool has_caps() const { return geometry_.planes > 0; }
  // Negotiates for sink caps and pushes the source caps. False: caps that the element or its peer
  // cannot take; the caps before are forgotten too. Frames in CUDA memory are taken while the model
  // can read it.
  bool set_caps(GstCaps* caps, Output output);
  // Between two frames, where there are caps. False: what comes after cannot take it, and nothing
  // has changed.
  bool set_output(Output output);
  Output output() const { return source_.output(); }

  // What comes now has nothing to do with what was before: no mask is carried over. Frames that
  // wait are dropped.
  void discontinue();
  void set_segment(const GstSegment& segment);

  // `live`: what the automatic settings mean in this pipeline.
  GstFlowReturn process(BufferPtr buffer, const FrameSettings& settings, bool live);
  // The most frames that may wait for a batch, from the next frame on.
  void limit_batch(guint most) { batch_limit_ = most; }
  // Sends out the frames that wait for their batch.
  GstFlowReturn finish(const FrameSettings& settings, bool live);
  // No frame comes any more: waits for the inference that is running, so that its result is posted.
  void end(const FrameSettings& settings);

  // Any thread. How long the first frame of a batch waits for the others, nanoseconds.
  guint64 batch_delay(guint batch_size) const { return (batch_size - 1) * frame_duration_; }
  // Any thread. What sinks say about frames that come too late.
  Lateness& lateness() { return lateness_; }
  // The pad for masks alone.
  MaskBranch& masks() { return masks_; }

 private:
  guint batch_size(bool live);
  bool begins_anew(GstBuffer* buffer, bool latest, const FrameSettings& settings) const;
  bool comes_too_late(GstBuffer* buffer, const FrameSettings& settings, const Outlet* mask);
  InferredFrame describe(GstBuffer* buffer) const;

  PendingFrame examine(BufferPtr buffer);
  void sample(PendingFrame* frame, const FrameSettings& settings);
  void warn_of_copies();
  bool collect(bool wait, PendingFrame* frame, const FrameSettings& settings, bool live);
  GstFlowReturn send_latest(PendingFrame* frame, const FrameSettings& settings, bool live,
                            Outlet* mask);
  bool infer_pending(const FrameSettings& settings);
  bool infer(PendingFrame* const* frames, guint n, const FrameSettings& settings);
  void drop_pending();
  void answer_fault(FrameFault kind, const Failure& failure, const FrameSettings& settings,
                    bool live);
  GstFlowReturn send_pending(PendingFrame* frame, const FrameSettings& settings, bool live,
                             Outlet* mask);
  GstFlowReturn pass_fault(PendingFrame* frame, const FrameSettings& settings, bool live,
                           Outlet* mask);
  GstFlowReturn deliver_masks(PendingFrame* frame, const Shown& shown,
                              const FrameSettings& settings, Outlet* source, Outlet* mask);
  GstFlowReturn deliver(PendingFrame* frame, const Shown& shown, const FrameSettings& settings,
                        Outlet* mask);

  GstElement* element_;
  Statistics* statistics_;
  Results results_;  // of the newest mask
  Segmenter segmenter_;
  Outlet source_;
  MaskBranch masks_;
  FaultPolicy faults_;
  Lateness lateness_;

  CapsPtr sink_caps_;
  FrameGeometry geometry_ = {};  // of incoming frames
  bool in_cuda_memory_ = false;  // where they lie
  bool warned_of_copies_ = false;
  GstSegment segment_;
  std::atomic<guint64> frame_duration_{0};  // nanoseconds; 0 where it is not known
  std::vector<PendingFrame> pending_;       // in the order that they came in
  guint64 frames_ = 0;                      // since the start, this one included
  guint batch_limit_ = kMostInABatch;
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
};

}  // namespace unetseg
