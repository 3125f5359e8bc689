// SPDX-License-Identifier: MIT
#include "plugin/frame_copier.h"

namespace unetseg {
namespace {

// As gst_video_frame_map() would make it, which believes video meta and does not merge memories.
GstVideoFrame video_frame(const GstVideoInfo& info, const UnetsegFrame& view, bool interlaced) {
  GstVideoFrame frame = {};
  frame.info = info;
  if (interlaced) frame.flags = GST_VIDEO_FRAME_FLAG_INTERLACED;
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p) {
    frame.data[p] = view.plane[p];
    frame.info.stride[p] = view.stride[p];
  }
  return frame;
}

// The rows of one field have chroma of their own.
bool is_interlaced(const GstVideoInfo& info, GstBuffer* buffer) {
  switch (GST_VIDEO_INFO_INTERLACE_MODE(&info)) {
    case GST_VIDEO_INTERLACE_MODE_INTERLEAVED:
      return true;
    case GST_VIDEO_INTERLACE_MODE_MIXED:
      return GST_BUFFER_FLAG_IS_SET(buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED);
    default:
      return false;
  }
}

bool is_bottom_up(const UnetsegFrame& view, const FrameGeometry& geometry) {
  for (guint p = 0; p < geometry.planes; ++p)
    if (view.stride[p] < 0) return true;
  return false;
}

// A frame in `memory`.
UnetsegFrame upright_frame(const FrameGeometry& geometry, std::vector<guint8>* memory) {
  memory->resize(GST_VIDEO_INFO_SIZE(&geometry.info));
  UnetsegFrame view = geometry.view;
  for (guint p = 0; p < geometry.planes; ++p)
    view.plane[p] = memory->data() + GST_VIDEO_INFO_PLANE_OFFSET(&geometry.info, p);
  return view;
}

}  // namespace

bool FrameCopier::configure(const FrameGeometry& from, const FrameGeometry& to) {
  converter_.reset();
  // A peer may have asked for caps that the frames do not have.
  if (from.view.width != to.view.width || from.view.height != to.view.height ||
      GST_VIDEO_INFO_INTERLACE_MODE(&from.info) != GST_VIDEO_INFO_INTERLACE_MODE(&to.info))
    return false;
  from_ = from;
  to_ = to;
  if (from.view.format == to.view.format) return true;
  // The same colours in each frame: no dither.
  converter_.reset(gst_video_converter_new(
      &from_.info, &to_.info,
      gst_structure_new("options", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                        GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, nullptr)));
  return converter_ != nullptr;
}

void FrameCopier::copy(GstBuffer* buffer, const UnetsegFrame& from, const UnetsegFrame& to) {
  if (!converts()) {
    copy_pixels(from, to, from_);
    return;
  }
  // The converter knows no negative strides.
  const bool turns_from = is_bottom_up(from, from_), turns_to = is_bottom_up(to, to_);
  const UnetsegFrame upright_from = turns_from ? upright_frame(from_, &upright_from_) : from;
  const UnetsegFrame upright_to = turns_to ? upright_frame(to_, &upright_to_) : to;
  if (turns_from) copy_pixels(from, upright_from, from_);
  const bool interlaced = is_interlaced(from_.info, buffer);
  const GstVideoFrame source = video_frame(from_.info, upright_from, interlaced);
  GstVideoFrame target = video_frame(to_.info, upright_to, interlaced);
  gst_video_converter_frame(converter_.get(), &source, &target);
  if (turns_to) copy_pixels(upright_to, to, to_);
}

}  // namespace unetseg
