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
               : output == Output::cutout      ? UNETSEG_DRAW_ALPHA
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
  geometry_ = frame_geometry_ = {};
  sink_caps_.reset();
  caps_.reset();
  pool_.stop();
  copier_ = {};
  device_.reset();
  in_cuda_memory_ = false;
}

// Null where there are none that the peer can have.
CapsPtr Outlet::choose_caps(GstCaps* sink_caps, Output output) const {
  CapsPtr caps(source_caps_for(sink_caps, output, FrameMemory::system_or_cuda));
  if (gst_caps_is_fixed(caps.get())) return caps;
  const CapsPtr peer(gst_pad_peer_query_caps(pad_, caps.get()));
  caps.reset(gst_caps_intersect_full(caps.get(), peer.get(), GST_CAPS_INTERSECT_FIRST));
  if (gst_caps_is_empty(caps.get())) return nullptr;
  return CapsPtr(gst_caps_fixate(caps.release()));
}

// False: they will not be there before the next buffer.
bool Outlet::push_caps(GstCaps* caps) const {
  if (caps_ && gst_caps_is_equal(caps_.get(), caps)) return true;
  if (gst_pad_push_event(pad_, gst_event_new_caps(caps))) return true;
  // A flushing pad keeps them, and pushes them with what comes first after the flush.
  const CapsPtr kept(gst_pad_get_current_caps(pad_));
  return kept && gst_caps_is_equal(kept.get(), caps);
}

bool Outlet::set_caps(GstCaps* sink_caps, Output output) {
  CapsPtr caps = choose_caps(sink_caps, output);
  GstVideoInfo info, frame_info;
  FrameGeometry geometry, frame_geometry;
  FrameCopier copier;
  if (!caps || !gst_video_info_from_caps(&info, caps.get()) || !make_geometry(info, &geometry))
    return false;
  frame_geometry = geometry;
  if (output == Output::cutout && (!gst_video_info_from_caps(&frame_info, sink_caps) ||
                                   !make_geometry(frame_info, &frame_geometry)))
    return false;
  if (!copier.configure(frame_geometry, geometry)) return false;
  pool_.stop();
  if (!push_caps(caps.get())) return false;
  output_ = output;
  sink_caps_.reset(gst_caps_ref(sink_caps));
  caps_ = std::move(caps);
  in_cuda_memory_ = are_in_cuda_memory(caps_.get());
  geometry_ = geometry;
  frame_geometry_ = frame_geometry;
  copier_ = std::move(copier);
  return true;
}

bool Outlet::would_take(GstCaps* sink_caps, Output output) const {
  const CapsPtr caps = choose_caps(sink_caps, output);
  return caps && gst_pad_peer_query_accept_caps(pad_, caps.get());
}

void Outlet::configure_pool() {
  pool_.configure(pad_, caps_.get(), geometry_.info,
                  passes_frames(output_) ? PoolChoice::own : PoolChoice::downstream,
                  in_cuda_memory_ ? device_.get() : nullptr);
}

// Another peer, or one that has changed its mind, wants other buffers. The first pool is made with
// the first buffer, not with the caps: an event that fails is sent again, and fails again.
void Outlet::follow_peer() {
  const bool has_changed = gst_pad_check_reconfigure(pad_);
  // Only cutouts have caps to choose from.
  if (has_changed && output_ == Output::cutout &&
      !gst_pad_peer_query_accept_caps(pad_, caps_.get()))
    set_caps(sink_caps_.get(), output_);
  if (has_changed || !pool_.is_configured()) configure_pool();
}

// By the peer, as what leaves. Nobody could read CUDA memory without its video meta.
bool Outlet::is_readable(const BufferLayout& layout) const {
  return !copier_.converts() && (!layout.is_cropped || pool_.peer_reads_crop_meta()) &&
         (in_cuda_memory_ || pool_.peer_reads_video_meta() || is_default_layout(layout, geometry_));
}

// Makes *frame a buffer that leaves, and that may be drawn on.
GstFlowReturn Outlet::make_drawable(BufferPtr* frame, BufferLayout* layout) {
  if (is_readable(*layout) && is_drawable(frame->get())) return GST_FLOW_OK;
  return copy(frame, layout);
}

GstFlowReturn Outlet::copy(BufferPtr* frame, BufferLayout* layout) {
  BufferPtr copy;
  const GstFlowReturn acquired = pool_.acquire(&copy);
  if (acquired != GST_FLOW_OK) return acquired;
  copy_metadata(frame->get(), copy.get(), copier_.converts());
  BufferLayout copy_layout;
  const char* why = nullptr;
  // On the device, or both in system memory.
  const CudaDevice* device =
      in_cuda_memory_ && device_->holds(frame->get()) && device_->holds(copy.get()) ? device_.get()
                                                                                    : nullptr;
  MappedFrame from, to;
  if (!find_layout(copy.get(), geometry_, &copy_layout, &why) ||
      !from.map(frame->get(), frame_geometry_, *layout, GST_MAP_READ, device) ||
      !to.map(copy.get(), geometry_, copy_layout, GST_MAP_WRITE, device))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be copied for drawing: put a videoconvert before unetseg",
                  why != nullptr ? why : "a buffer cannot be mapped"};
  if (device != nullptr)
    device->copy(from.view(), to.view(), geometry_);
  else
    copier_.copy(frame->get(), from.view(), to.view());
  from.unmap();
  to.unmap();
  *frame = std::move(copy);
  *layout = copy_layout;
  return GST_FLOW_OK;
}

void Outlet::map(GstBuffer* buffer, const BufferLayout& layout, GstMapFlags access,
                 const CudaDevice* device, MappedFrame* frame) const {
  if (!frame->map(buffer, geometry_, layout, access, device))
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED,
                  "A frame cannot be drawn on: put a videoconvert before unetseg",
                  "gst_buffer_map failed"};
}

void Outlet::draw(GstBuffer* buffer, const BufferLayout& layout, const ShownMask& mask,
                  const FrameSettings& settings, const UnetsegStyle& style) {
  const bool writes_all = style.mode == UNETSEG_DRAW_MASK || style.mode == UNETSEG_DRAW_PROBABILITY;
  MappedFrame frame;
  map(buffer, layout, writes_all ? GST_MAP_WRITE : GST_MAP_READWRITE, mask.model->cuda().get(),
      &frame);
  mask.model->draw(mask.slot, frame.view(), mask.options(settings), style);
}

void Outlet::make_transparent(GstBuffer* buffer, const BufferLayout& layout) {
  MappedFrame frame;
  map(buffer, layout, GST_MAP_READWRITE, nullptr, &frame);
  const UnetsegFrame& view = frame.view();
  const int alpha = GST_VIDEO_INFO_COMP_POFFSET(&geometry_.info, GST_VIDEO_COMP_A);
  for (gint64 y = 0; y < view.height; ++y) {
    guint8* row = view.plane[0] + y * view.stride[0] + alpha;
    for (gint64 x = 0; x < view.width; ++x) row[4 * x] = 0;
  }
}

GstFlowReturn Outlet::push_untouched(BufferPtr frame, const BufferLayout* layout) {
  follow_peer();
  if (layout != nullptr && !is_readable(*layout)) {
    BufferLayout copied_layout = *layout;
    const GstFlowReturn copied = copy(&frame, &copied_layout);
    if (copied != GST_FLOW_OK) return copied;
  }
  return gst_pad_push(pad_, frame.release());
}

GstFlowReturn Outlet::push_overlay(BufferPtr frame, BufferLayout layout, Shown shown,
                                   const FrameSettings& settings) {
  const UnetsegStyle style = style_of(settings, output_);
  if (!shown || !is_visible(style)) return push_untouched(std::move(frame), &layout);
  follow_peer();
  const GstFlowReturn made = make_drawable(&frame, &layout);
  if (made != GST_FLOW_OK) return made;
  draw(frame.get(), layout, *shown, settings, style);
  return gst_pad_push(pad_, frame.release());
}

GstFlowReturn Outlet::push_cutout(BufferPtr frame, BufferLayout layout, Shown shown,
                                  const FrameSettings& settings) {
  follow_peer();
  const GstFlowReturn made = make_drawable(&frame, &layout);
  if (made != GST_FLOW_OK) return made;
  if (shown) {
    draw(frame.get(), layout, *shown, settings, style_of(settings, output_));
  } else {
    make_transparent(frame.get(), layout);
    GST_BUFFER_FLAG_SET(frame.get(), GST_BUFFER_FLAG_GAP);
  }
  return gst_pad_push(pad_, frame.release());
}

GstFlowReturn Outlet::make_mask(GstBuffer* frame, Shown shown, const FrameSettings& settings,
                                BufferPtr* made) {
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
  *made = std::move(mask);
  return GST_FLOW_OK;
}

GstFlowReturn Outlet::push(BufferPtr mask) {
  return gst_pad_push(pad_, mask.release());
}

}  // namespace unetseg
