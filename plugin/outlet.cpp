// SPDX-License-Identifier: MIT
#include "plugin/outlet.h"

#include "plugin/caps.h"
#include "plugin/errors.h"

namespace unetseg {
namespace {

UnetsegStyle style_of(const FrameSettings& settings, Output output) {
  UnetsegStyle style = {};
  style.mode = output == Output::mask          ? UNETSEG_DRAW_MASK
               : output == Output::probability ? UNETSEG_DRAW_PROBABILITY
                                               : UNETSEG_DRAW_OVERLAY;
  style.color = settings.color;
  style.opacity = settings.opacity;
  style.contour_color = settings.contour_color;
  style.contour_width = settings.contour_width;
  return style;
}

bool is_visible(const UnetsegStyle& overlay) {
  const bool fills = overlay.color >> 24 != 0 && overlay.opacity > 0;
  const bool outlines = overlay.contour_color >> 24 != 0 && overlay.contour_width > 0;
  return fills || outlines;
}

}  // namespace

Outlet::Outlet(GstPad* pad) : pad_(GST_PAD(gst_object_ref(pad))) {}

Outlet::~Outlet() {
  gst_object_unref(pad_);
}

void Outlet::reset() {
  geometry_ = {};
  caps_.reset();
  pool_.stop();
}

bool Outlet::set_caps(GstCaps* sink_caps, Output output) {
  reset();
  CapsPtr caps(source_caps_for(sink_caps, output));
  GstVideoInfo info;
  FrameGeometry geometry;
  if (!gst_caps_is_fixed(caps.get()) || !gst_video_info_from_caps(&info, caps.get()) ||
      !make_geometry(info, &geometry) || !gst_pad_push_event(pad_, gst_event_new_caps(caps.get())))
    return false;
  output_ = output;
  caps_ = std::move(caps);
  geometry_ = geometry;
  configure_pool();
  return true;
}

bool Outlet::would_take(GstCaps* sink_caps, Output output) const {
  const CapsPtr caps(source_caps_for(sink_caps, output));
  return gst_caps_is_fixed(caps.get()) && gst_pad_peer_query_accept_caps(pad_, caps.get());
}

void Outlet::configure_pool() {
  pool_.configure(pad_, caps_.get(), geometry_.info,
                  passes_frames(output_) ? PoolChoice::own : PoolChoice::downstream);
}

// Another peer, or one that has changed its mind, wants other buffers. A pool that failed to start
// with the caps may have been cured since.
void Outlet::follow_peer() {
  if (gst_pad_check_reconfigure(pad_) || !pool_.is_configured()) configure_pool();
}

GstFlowReturn Outlet::push_untouched(BufferPtr frame) {
  return gst_pad_push(pad_, frame.release());
}

// Makes *frame a buffer that may be drawn on.
GstFlowReturn Outlet::copy_for_drawing(BufferPtr* frame, BufferLayout* layout) {
  BufferPtr copy;
  const GstFlowReturn acquired = pool_.acquire(&copy);
  if (acquired != GST_FLOW_OK) return acquired;
  copy_metadata(frame->get(), copy.get(), false);
  BufferLayout copy_layout;
  const char* why = nullptr;
  MappedFrame from, to;
  if (!find_layout(copy.get(), geometry_, &copy_layout, &why) ||
      !from.map(frame->get(), geometry_, *layout, GST_MAP_READ) ||
      !to.map(copy.get(), geometry_, copy_layout, GST_MAP_WRITE))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be copied for drawing: put a videoconvert before unetseg",
                  why != nullptr ? why : "a buffer cannot be mapped"};
  copy_pixels(from.view(), to.view(), geometry_);
  from.unmap();
  to.unmap();
  *frame = std::move(copy);
  *layout = copy_layout;
  return GST_FLOW_OK;
}

void Outlet::draw(GstBuffer* buffer, const BufferLayout& layout, const ShownMask& mask,
                  const FrameSettings& settings, const UnetsegStyle& style) {
  MappedFrame frame;
  const auto access = static_cast<GstMapFlags>(
      style.mode == UNETSEG_DRAW_OVERLAY ? GST_MAP_READWRITE : GST_MAP_WRITE);
  if (!frame.map(buffer, geometry_, layout, access))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be drawn on: put a videoconvert before unetseg",
                  "gst_buffer_map failed"};
  mask.model->draw(mask.slot, frame.view(), mask.options(settings), style);
}

GstFlowReturn Outlet::push_overlay(BufferPtr frame, BufferLayout layout, Shown shown,
                                   const FrameSettings& settings) {
  follow_peer();
  const UnetsegStyle style = style_of(settings, output_);
  if (!shown || !is_visible(style)) return push_untouched(std::move(frame));
  const bool readable = pool_.peer_reads_video_meta() || is_default_layout(layout, geometry_);
  if (!readable || !is_drawable(frame.get())) {
    const GstFlowReturn copied = copy_for_drawing(&frame, &layout);
    if (copied != GST_FLOW_OK) return copied;
  }
  draw(frame.get(), layout, *shown, settings, style);
  return gst_pad_push(pad_, frame.release());
}

GstFlowReturn Outlet::push_mask(GstBuffer* frame, Shown shown, const FrameSettings& settings) {
  follow_peer();
  BufferPtr mask;
  const GstFlowReturn acquired = pool_.acquire(&mask);
  if (acquired != GST_FLOW_OK) return acquired;
  copy_metadata(frame, mask.get(), true);
  if (shown) {
    BufferLayout layout;
    const char* why = nullptr;
    if (!find_layout(mask.get(), geometry_, &layout, &why))
      throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                    "The element after unetseg gave a buffer that no mask fits in: put a queue "
                    "between them",
                    why};
    draw(mask.get(), layout, *shown, settings, style_of(settings, output_));
  } else {
    gst_buffer_memset(mask.get(), 0, 0, gst_buffer_get_size(mask.get()));
    GST_BUFFER_FLAG_SET(mask.get(), GST_BUFFER_FLAG_GAP);
  }
  return gst_pad_push(pad_, mask.release());
}

}  // namespace unetseg
