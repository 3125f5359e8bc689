// SPDX-License-Identifier: MIT
// What leaves by one source pad: its caps, its buffers, and what is drawn on them.
#pragma once

#include <gst/video/video.h>

#include "plugin/frame_map.h"
#include "plugin/output_pool.h"
#include "plugin/pointers.h"
#include "plugin/settings.h"
#include "plugin/shown.h"

namespace unetseg {

// Functions belong to the streaming thread, or run while there is none, and throw Failure for what
// stops the stream. The pad is shared.
class Outlet {
 public:
  explicit Outlet(GstPad* pad);
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  GstPad* pad() const { return pad_; }
  Output output() const { return output_; }
  bool has_caps() const { return geometry_.planes > 0; }

  // Pushes the caps that `output` makes of these sink caps. False: there are none.
  bool set_caps(GstCaps* sink_caps, Output output);
  // Whether the peer takes what `output` makes of these sink caps.
  bool would_take(GstCaps* sink_caps, Output output) const;
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
  void draw(GstBuffer* buffer, const BufferLayout& layout, const ShownMask& mask,
            const FrameSettings& settings, const UnetsegStyle& style);

  GstPad* pad_;
  Output output_ = Output::overlay;
  FrameGeometry geometry_ = {};
  CapsPtr caps_;
  OutputPool pool_;
};

}  // namespace unetseg
