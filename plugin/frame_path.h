// SPDX-License-Identifier: MIT
// What happens to a frame on the streaming thread: sampled, inferred, and sent out with a mask.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <mutex>
#include <optional>

#include "plugin/errors.h"
#include "plugin/fault_policy.h"
#include "plugin/frame_map.h"
#include "plugin/inference.h"
#include "plugin/lateness.h"
#include "plugin/outlet.h"
#include "plugin/pointers.h"
#include "plugin/results.h"
#include "plugin/settings.h"
#include "plugin/statistics.h"

namespace unetseg {

// Functions belong to the streaming thread, or run while there is none, but for those said to be
// any thread's. They throw Failure for what stops the stream; faults of single frames are answered
// as FrameSettings::on_error says.
class FramePath {
 public:
  // The arguments are borrowed. `source` is the pad that frames leave by.
  FramePath(GstElement* element, GstPad* source, Inference* inference, Statistics* statistics);

  // Whether frames go on without waiting for their masks.
  static bool is_latest(Mode mode, bool live) {
    return mode == Mode::automatic ? live : mode == Mode::latest;
  }

  // Forgets the caps and everything about the frames before.
  void reset();

  // Negotiates for sink caps and pushes the source caps. False: caps that the element or its peer
  // cannot take; the caps before are forgotten too.
  bool set_caps(GstCaps* caps, Output output);

  // What comes now has nothing to do with what was before: no mask is carried over.
  void discontinue();
  void set_segment(const GstSegment& segment);

  // `live`: what the automatic settings mean in this pipeline.
  GstFlowReturn process(BufferPtr buffer, const FrameSettings& settings, bool live);

  // Any thread. The pad for masks alone, beside the source pad; nullptr: none any more.
  void set_mask_pad(GstPad* pad);
  PadPtr mask_pad();
  // Any thread. What sinks say about frames that come too late.
  Lateness& lateness() { return lateness_; }

 private:
  // What became of the attempt to give a frame its mask.
  enum class Result { done, faulty, flushing };
  struct Job {
    guint slot;
    InferredFrame frame;
    bool is_wanted;  // false: a discontinuity came after its frame
  };

  bool has_caps() const { return geometry_.planes > 0; }
  std::shared_ptr<Outlet> mask_outlet();
  bool is_turn_to_infer(const FrameSettings& settings);
  bool comes_too_late(GstBuffer* buffer, const FrameSettings& settings, const Outlet* mask);
  Result give_mask(GstBuffer* buffer, const BufferLayout& layout, const FrameSettings& settings,
                   bool wait, const Outlet* mask);
  Result collect(GstBuffer* buffer, const FrameSettings& settings, bool wait);
  InferredFrame describe(GstBuffer* buffer) const;
  guint free_slot() const;
  GstClockTime mask_age(GstBuffer* buffer) const;
  Shown shown_for(GstBuffer* buffer, const FrameSettings& settings, bool latest) const;
  GstFlowReturn deliver(BufferPtr buffer, const BufferLayout* layout, Shown shown,
                        const FrameSettings& settings, Outlet* mask);
  GstFlowReturn pass_fault(BufferPtr buffer, const FrameSettings& settings, bool live,
                           Outlet* mask);
  Result found_fault(FrameFault kind, Failure failure);

  GstElement* element_;
  Inference* inference_;
  Statistics* statistics_;
  Results results_;  // of the newest mask
  Outlet source_;
  std::mutex mask_mutex_;  // guards mask_, for as long as its pointer is copied
  std::shared_ptr<Outlet> mask_;

  FaultPolicy faults_;
  FrameFault fault_kind_ = FrameFault::format;  // of the frame that is being processed
  Failure fault_;

  CapsPtr sink_caps_;
  FrameGeometry geometry_ = {};  // of incoming frames
  GstSegment segment_;
  Lateness lateness_;
  std::optional<Job> job_;                        // started, not collected
  Shown shown_;                                   // the newest mask
  GstClockTime shown_pts_ = GST_CLOCK_TIME_NONE;  // of the frame that it was inferred from
  guint64 usual_mask_age_ = 0;  // ns, what max-mask-age=-1 means; set with each mask
  guint64 turn_ = 0;            // frames since the last discontinuity
  guint64 frames_ = 0;          // since the start, this one included
};

}  // namespace unetseg
