// SPDX-License-Identifier: MIT
// What leaves by one source pad: its caps, its buffers, and what is drawn on them.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "plugin/frame_map.h"
#include "plugin/inference.h"
#include "plugin/output_pool.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"

namespace unetseg {

// The slot whose probabilities a frame shows; none where it has no mask.
using Shown = std::optional<guint>;

// Functions belong to the streaming thread, or run while there is none, and throw Failure for what
// stops the stream. The element and the inference are borrowed, the pad is shared.
class Outlet {
 public:
  Outlet(GstElement* element, GstPad* pad, Inference* inference);
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  GstPad* pad() const { return pad_; }
  Output output() const { return output_; }
  bool has_caps() const { return geometry_.planes > 0; }

  // Pushes the caps that `output` makes of these sink caps. False: there are none.
  bool set_caps(GstCaps* sink_caps, Output output);
  void reset();

  // Draws on `frame`, which is of the same caps and lies as `layout` says, or on a copy of it.
  GstFlowReturn push_overlay(BufferPtr frame, BufferLayout layout, Shown shown,
                             const FrameSettings& settings);
  // A mask or probabilities for `frame`; zeros with the GAP flag where nothing is shown.
  GstFlowReturn push_mask(GstBuffer* frame, Shown shown, const FrameSettings& settings);
  GstFlowReturn push_untouched(BufferPtr frame);

 private:
  void configure_pool();
  void follow_peer();
  GstFlowReturn copy_for_drawing(BufferPtr* frame, BufferLayout* layout);
  void draw(GstBuffer* buffer, const BufferLayout& layout, guint slot, const UnetsegStyle& style);

  GstElement* element_;
  GstPad* pad_;
  Inference* inference_;
  Output output_ = Output::overlay;
  FrameGeometry geometry_ = {};
  CapsPtr caps_;
  OutputPool pool_;
};

}  // namespace unetseg
