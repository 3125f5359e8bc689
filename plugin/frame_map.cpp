// SPDX-License-Identifier: MIT
#include "plugin/frame_map.h"

#include <algorithm>
#include <cstring>

#include "plugin/cuda_device.h"

namespace unetseg {
namespace {

bool backend_format(GstVideoFormat format, UnetsegFormat* out) {
  static const struct {
    GstVideoFormat gst;
    UnetsegFormat backend;
  } kFormats[] = {{GST_VIDEO_FORMAT_RGB, UNETSEG_FORMAT_RGB},
                  {GST_VIDEO_FORMAT_BGR, UNETSEG_FORMAT_BGR},
                  {GST_VIDEO_FORMAT_RGBx, UNETSEG_FORMAT_RGBX},
                  {GST_VIDEO_FORMAT_BGRx, UNETSEG_FORMAT_BGRX},
                  {GST_VIDEO_FORMAT_xRGB, UNETSEG_FORMAT_XRGB},
                  {GST_VIDEO_FORMAT_xBGR, UNETSEG_FORMAT_XBGR},
                  {GST_VIDEO_FORMAT_RGBA, UNETSEG_FORMAT_RGBA},
                  {GST_VIDEO_FORMAT_BGRA, UNETSEG_FORMAT_BGRA},
                  {GST_VIDEO_FORMAT_ARGB, UNETSEG_FORMAT_ARGB},
                  {GST_VIDEO_FORMAT_ABGR, UNETSEG_FORMAT_ABGR},
                  {GST_VIDEO_FORMAT_GRAY8, UNETSEG_FORMAT_GRAY8},
                  {GST_VIDEO_FORMAT_I420, UNETSEG_FORMAT_I420},
                  {GST_VIDEO_FORMAT_NV12, UNETSEG_FORMAT_NV12},
                  {GST_VIDEO_FORMAT_YV12, UNETSEG_FORMAT_YV12},
                  {GST_VIDEO_FORMAT_Y42B, UNETSEG_FORMAT_Y42B},
                  {GST_VIDEO_FORMAT_Y444, UNETSEG_FORMAT_Y444},
                  {GST_VIDEO_FORMAT_NV21, UNETSEG_FORMAT_NV21},
                  {GST_VIDEO_FORMAT_YUY2, UNETSEG_FORMAT_YUY2},
                  {GST_VIDEO_FORMAT_UYVY, UNETSEG_FORMAT_UYVY},
                  {GST_VIDEO_FORMAT_P010_10LE, UNETSEG_FORMAT_P010_10LE}};
  for (const auto& entry : kFormats)
    if (entry.gst == format) {
      *out = entry.backend;
      return true;
    }
  return false;
}

// Fills first and last. False: outside of a buffer of `size` bytes, or rows that overlap.
bool place(gint64 row_bytes, gint64 rows, gint64 size, PlaneSpan* span) {
  const gint64 to_last_row = span->stride * (rows - 1);
  span->first = span->origin + std::min<gint64>(to_last_row, 0);
  span->last = span->origin + std::max<gint64>(to_last_row, 0) + row_bytes;
  if (rows > 1 && std::abs(static_cast<gint64>(span->stride)) < row_bytes) return false;
  return span->first >= 0 && span->last <= size;
}

bool fits(const GstVideoMeta& meta, const FrameGeometry& geometry, const char** why) {
  if (meta.format != GST_VIDEO_INFO_FORMAT(&geometry.info))
    *why = "the video meta names another format than the caps";
  else if (meta.n_planes != geometry.planes)
    *why = "the video meta has a wrong number of planes";
  else if (meta.width < static_cast<guint>(geometry.view.width) ||
           meta.height < static_cast<guint>(geometry.view.height))
    *why = "the video meta describes a smaller frame than the caps";
  else
    return true;
  return false;
}

// Whether samples that begin at column x and row y are whole ones, in each plane: of a pair of
// pixels that share their chroma, and of both fields.
bool begins_whole(const GstVideoInfo& info, guint x, guint y) {
  const guint fields = GST_VIDEO_INFO_IS_INTERLACED(&info) ? 2 : 1;
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c)
    if (x % (1u << GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, c)) != 0 ||
        y % (fields << GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, c)) != 0)
      return false;
  return true;
}

bool fits(const GstVideoCropMeta& crop, const GstVideoMeta* meta, const FrameGeometry& geometry,
          const char** why) {
  const guint width = static_cast<guint>(geometry.view.width);
  const guint height = static_cast<guint>(geometry.view.height);
  constexpr guint kMost = G_MAXINT;  // of a side: more is not true, and could not be computed with
  if (crop.width != width || crop.height != height)
    *why = "the crop meta describes another size than the caps";
  else if (crop.x > std::min(meta != nullptr ? meta->width : width, kMost) - width ||
           crop.y > std::min(meta != nullptr ? meta->height : height, kMost) - height)
    *why = "the crop meta describes a part that is outside of the frame";
  else if (!begins_whole(geometry.info, crop.x, crop.y))
    *why = "the crop meta begins between pixels that share their chroma, or in another field";
  else
    return true;
  return false;
}

// Bytes from a plane's beginning to where a part of the frame begins.
gint64 part_offset(const GstVideoInfo& info, guint plane, gint stride,
                   const GstVideoCropMeta& crop) {
  guint c = 0;  // any component of the plane
  while (static_cast<guint>(GST_VIDEO_INFO_COMP_PLANE(&info, c)) != plane) ++c;
  return static_cast<gint64>(crop.y >> GST_VIDEO_FORMAT_INFO_H_SUB(info.finfo, c)) * stride +
         static_cast<gint64>(crop.x >> GST_VIDEO_FORMAT_INFO_W_SUB(info.finfo, c)) *
             GST_VIDEO_INFO_COMP_PSTRIDE(&info, c);
}

}  // namespace

bool make_geometry(const GstVideoInfo& info, FrameGeometry* geometry) {
  *geometry = {};
  geometry->info = info;
  UnetsegFrame& view = geometry->view;
  if (!backend_format(GST_VIDEO_INFO_FORMAT(&info), &view.format)) return false;
  view.width = GST_VIDEO_INFO_WIDTH(&info);
  view.height = GST_VIDEO_INFO_HEIGHT(&info);
  view.par_n = GST_VIDEO_INFO_PAR_N(&info);
  view.par_d = GST_VIDEO_INFO_PAR_D(&info);
  const GstVideoColorimetry& colour = GST_VIDEO_INFO_COLORIMETRY(&info);
  if (!gst_video_color_matrix_get_Kr_Kb(colour.matrix, &view.kr, &view.kb))
    gst_video_color_matrix_get_Kr_Kb(GST_VIDEO_COLOR_MATRIX_BT601, &view.kr, &view.kb);
  view.full_range = colour.range == GST_VIDEO_COLOR_RANGE_0_255;
  const guint site = static_cast<guint>(GST_VIDEO_INFO_CHROMA_SITE(&info));
  view.chroma_cosited_x = (site & GST_VIDEO_CHROMA_SITE_H_COSITED) != 0;
  view.chroma_cosited_y = (site & GST_VIDEO_CHROMA_SITE_V_COSITED) != 0;

  geometry->planes = GST_VIDEO_INFO_N_PLANES(&info);
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
    const guint plane = static_cast<guint>(GST_VIDEO_INFO_COMP_PLANE(&info, c));
    // Packed 4:2:2 of odd width ends in a whole pair of pixels, which only chroma counts.
    geometry->row_bytes[plane] = std::max(geometry->row_bytes[plane],
                                          static_cast<gint64>(GST_VIDEO_INFO_COMP_WIDTH(&info, c)) *
                                              GST_VIDEO_INFO_COMP_PSTRIDE(&info, c));
    geometry->rows[plane] = GST_VIDEO_INFO_COMP_HEIGHT(&info, c);
    view.stride[plane] = GST_VIDEO_INFO_PLANE_STRIDE(&info, plane);
  }
  return true;
}

bool find_layout(GstBuffer* buffer, const FrameGeometry& geometry, BufferLayout* layout,
                 const char** why) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta != nullptr && !fits(*meta, geometry, why)) return false;
  const GstVideoCropMeta* crop = gst_buffer_get_video_crop_meta(buffer);
  if (crop != nullptr && !fits(*crop, meta, geometry, why)) return false;
  layout->is_cropped = crop != nullptr && (crop->x > 0 || crop->y > 0);
  const gint64 size = static_cast<gint64>(gst_buffer_get_size(buffer));
  for (guint p = 0; p < geometry.planes; ++p) {
    const gsize offset =
        meta != nullptr ? meta->offset[p] : GST_VIDEO_INFO_PLANE_OFFSET(&geometry.info, p);
    PlaneSpan& span = layout->plane[p];
    span.stride = meta != nullptr ? meta->stride[p] : geometry.view.stride[p];
    span.origin = static_cast<gint64>(offset);
    if (layout->is_cropped) span.origin += part_offset(geometry.info, p, span.stride, *crop);
    if (offset > static_cast<gsize>(size) ||
        !place(geometry.row_bytes[p], geometry.rows[p], size, &span)) {
      *why = meta != nullptr ? "the buffer does not hold what its video meta claims"
                             : "the buffer is too short for its caps";
      return false;
    }
  }
  return true;
}

bool is_default_layout(const BufferLayout& layout, const FrameGeometry& geometry) {
  for (guint p = 0; p < geometry.planes; ++p)
    if (layout.plane[p].stride != geometry.view.stride[p] ||
        layout.plane[p].origin !=
            static_cast<gint64>(GST_VIDEO_INFO_PLANE_OFFSET(&geometry.info, p)))
      return false;
  return true;
}

bool is_drawable(GstBuffer* buffer) {
  if (!gst_buffer_is_writable(buffer)) return false;
  for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
    GstMemory* memory = gst_buffer_peek_memory(buffer, i);
    if (!gst_memory_is_writable(memory) || GST_MEMORY_IS_READONLY(memory)) return false;
  }
  return true;
}

bool MappedFrame::map(GstBuffer* buffer, const FrameGeometry& geometry, const BufferLayout& layout,
                      GstMapFlags flags, const CudaDevice* device) {
  unmap();
  buffer_ = buffer;
  view_ = geometry.view;
  for (guint p = 0; p < geometry.planes; ++p) view_.stride[p] = layout.plane[p].stride;
  if (device != nullptr && device->holds(buffer)) {
    if (!map_whole(layout, geometry.planes, static_cast<GstMapFlags>(flags | kMapCuda)))
      return false;
    device_ = device;
    view_.memory = UNETSEG_MEMORY_CUDA;
    view_.cuda_stream = device->stream_of(buffer);
    return true;
  }

  bool whole_planes = true;
  for (guint p = 0; p < geometry.planes && whole_planes; ++p)
    whole_planes = map_plane(layout.plane[p], p, flags);
  if (whole_planes) return true;

  unmap();
  return map_whole(layout, geometry.planes, flags);
}

bool MappedFrame::map_whole(const BufferLayout& layout, guint planes, GstMapFlags flags) {
  if (!gst_buffer_map(buffer_, &maps_[0], flags)) return false;
  mapped_ = 1;
  for (guint p = 0; p < planes; ++p) view_.plane[p] = maps_[0].data + layout.plane[p].origin;
  return true;
}

// False where the plane does not lie in one memory.
bool MappedFrame::map_plane(const PlaneSpan& span, guint plane, GstMapFlags flags) {
  guint memory = 0, memories = 0;
  gsize skip = 0;
  if (!gst_buffer_find_memory(buffer_, static_cast<gsize>(span.first),
                              static_cast<gsize>(span.last - span.first), &memory, &memories,
                              &skip) ||
      memories != 1 || !gst_buffer_map_range(buffer_, memory, 1, &maps_[mapped_], flags))
    return false;
  view_.plane[plane] = maps_[mapped_].data + skip + (span.origin - span.first);
  ++mapped_;
  return true;
}

void MappedFrame::unmap() {
  // Who has the buffer next knows of no stream that it could wait for.
  if (device_ != nullptr && view_.cuda_stream == nullptr) device_->synchronize(nullptr);
  device_ = nullptr;
  while (mapped_ > 0) gst_buffer_unmap(buffer_, &maps_[--mapped_]);
}

void copy_pixels(const UnetsegFrame& from, const UnetsegFrame& to, const FrameGeometry& geometry) {
  for (guint p = 0; p < geometry.planes; ++p)
    for (gint64 y = 0; y < geometry.rows[p]; ++y)
      std::memcpy(to.plane[p] + y * to.stride[p], from.plane[p] + y * from.stride[p],
                  static_cast<std::size_t>(geometry.row_bytes[p]));
}

}  // namespace unetseg
