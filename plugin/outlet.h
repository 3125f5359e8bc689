// SPDX-License-Identifier: MIT
// What leaves by one source pad: its caps, its buffers, and what is drawn on them.
#pragma once

#include <gst/video/video.h>

#include "plugin/cuda_device.h"
#include "plugin/frame_copier.h"
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

  // Pushes the caps that `output` makes of these sink caps, unless they are those before. False:
  // there are none, or the pad does not take them now; nothing has changed.
  bool set_caps(GstCaps* sink_caps, Output output);
  // Whether the peer takes what `output` makes of these sink caps.
  bool would_take(GstCaps* sink_caps, Output output) const;
  // Where copies of frames in CUDA memory lie, from the next caps on.
  void use(std::shared_ptr<CudaDevice> device) { device_ = std::move(device); }
  void reset();

  // `frame` is of the sink caps and lies as `layout` says.

  // Draws on the frame or on a copy of it.
  GstFlowReturn push_overlay(BufferPtr frame, BufferLayout layout, Shown shown,
                             const FrameSettings& settings);
  // The frame's colours, with the probabilities as alpha; transparent with the GAP flag where
  // nothing is shown.
  GstFlowReturn push_cutout(BufferPtr frame, BufferLayout layout, Shown shown,
                            const FrameSettings& settings);
  // As it is, in another buffer only where the peer could not read this one. Without a `layout` it
  // is not known how it lies.
  GstFlowReturn push_untouched(BufferPtr frame, const BufferLayout* layout);
  // A mask or probabilities for `frame`, to be pushed: zeros with the GAP flag where nothing is
  // shown. None where this answers another flow than OK.
  GstFlowReturn make_mask(GstBuffer* frame, Shown shown, const FrameSettings& settings,
                          BufferPtr* made);
  GstFlowReturn push(BufferPtr mask);

 private:
  CapsPtr choose_caps(GstCaps* sink_caps, Output output) const;
  bool push_caps(GstCaps* caps) const;
  void configure_pool();
  void follow_peer();
  bool is_readable(const BufferLayout& layout) const;
  GstFlowReturn make_drawable(BufferPtr* frame, BufferLayout* layout);
  GstFlowReturn copy(BufferPtr* frame, BufferLayout* layout);
  void map(GstBuffer* buffer, const BufferLayout& layout, GstMapFlags access,
           const CudaDevice* device, MappedFrame* frame) const;
  void make_transparent(GstBuffer* buffer, const BufferLayout& layout);
  void draw(GstBuffer* buffer, const BufferLayout& layout, const ShownMask& mask,
            const FrameSettings& settings, const UnetsegStyle& style);

  GstPad* pad_;
  Output output_ = Output::overlay;
  FrameGeometry frame_geometry_ = {};  // of the frames that come in
  FrameGeometry geometry_ = {};        // of what leaves
  CapsPtr sink_caps_, caps_;
  OutputPool pool_;
  FrameCopier copier_;
  std::shared_ptr<CudaDevice> device_;
  bool in_cuda_memory_ = false;  // what leaves
};

}  // namespace unetseg
