// SPDX-License-Identifier: MIT
// What happens to a frame on the streaming thread: sampled, inferred, drawn, pushed.
#pragma once

#include <gst/video/video.h>

#include "plugin/errors.h"
#include "plugin/fault_policy.h"
#include "plugin/frame_map.h"
#include "plugin/inference.h"
#include "plugin/output_pool.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"
#include "plugin/statistics.h"

namespace unetseg {

// All functions belong to the streaming thread, or run while there is none. They throw Failure for
// what stops the stream; faults of single frames are answered as FrameSettings::on_error says.
class FramePath {
 public:
  // The arguments are borrowed. `source` is the pad that frames leave by.
  FramePath(GstElement* element, GstPad* source, Inference* inference, Statistics* statistics)
      : element_(element), source_(source), inference_(inference), statistics_(statistics) {}

  // Forgets the caps and everything about the frames before.
  void reset();

  // Negotiates both sides for sink caps and pushes the source caps. False: caps that the element or
  // its peer cannot take; the caps before are forgotten too.
  bool set_caps(GstCaps* caps, Output output);

  // `passes_faults`: what on-error=auto means in this pipeline.
  GstFlowReturn process(BufferPtr buffer, const FrameSettings& settings, bool passes_faults);

 private:
  // What became of the attempt to give a frame its mask.
  enum class Result { done, faulty, flushing };

  bool has_caps() const { return geometry_.planes > 0; }
  void configure_pool();
  Result infer(GstBuffer* buffer, const BufferLayout& layout);
  Result prepare_overlay(BufferPtr* buffer, BufferLayout* layout);
  void draw(GstBuffer* buffer, const FrameGeometry& geometry, const BufferLayout& layout,
            const UnetsegStyle& style);
  GstFlowReturn push_overlay(BufferPtr buffer, BufferLayout layout, const FrameSettings& settings);
  GstFlowReturn push_mask(BufferPtr buffer, const FrameSettings& settings);
  GstFlowReturn push_zero_mask(BufferPtr buffer);
  GstFlowReturn push_untouched(BufferPtr buffer);
  GstFlowReturn pass_fault(BufferPtr buffer, const FrameSettings& settings, bool passes_faults);
  Result found_fault(FrameFault kind, Failure failure);
  GstFlowReturn acquire(BufferPtr* buffer);

  GstElement* element_;
  GstPad* source_;
  Inference* inference_;
  Statistics* statistics_;
  FaultPolicy faults_;
  FrameFault fault_kind_ = FrameFault::format;  // of the frame that is being processed
  Failure fault_;

  Output output_ = Output::overlay;
  FrameGeometry geometry_ = {};         // of incoming frames
  FrameGeometry output_geometry_ = {};  // of what is pushed
  CapsPtr source_caps_;
  OutputPool pool_;
};

}  // namespace unetseg
