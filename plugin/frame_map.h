// SPDX-License-Identifier: MIT
// From a GstBuffer to the frame view that the backend takes, with every bound checked first.
#pragma once

#include <gst/video/video.h>

#include "model/backend/backend.h"

namespace unetseg {

class CudaDevice;

// What raw video caps say about a frame's pixels, settled once per negotiation.
struct FrameGeometry {
  GstVideoInfo info;
  UnetsegFrame view;  // without addresses; strides are those of a buffer without video meta
  guint planes;
  gint64 row_bytes[4];  // of each plane, padding excluded
  gint64 rows[4];
};

// False for a format that the backend does not know.
bool make_geometry(const GstVideoInfo& info, FrameGeometry* geometry);

// Where the pixels lie within a buffer, in bytes from its start. All bytes from first to last,
// those between rows included, are within the buffer.
struct PlaneSpan {
  gint64 origin;  // of pixel (0, 0)
  gint stride;
  gint64 first, last;  // [first, last)
};

struct BufferLayout {
  PlaneSpan plane[4];
  bool is_cropped;  // pixel (0, 0) is where the crop meta says, and not where the others do
};

// What the buffer's video meta, or the caps where it has none, say, provided that it is true:
// gst_video_frame_map() believes it. A crop meta says which part of that the caps mean. False:
// `why` tells developers what is wrong.
bool find_layout(GstBuffer* buffer, const FrameGeometry& geometry, BufferLayout* layout,
                 const char** why);

// Whether a reader that does not look at video meta finds the pixels where they are.
bool is_default_layout(const BufferLayout& layout, const FrameGeometry& geometry);

// Whether the pixels may be changed without anybody else seeing it, and without a copy.
bool is_drawable(GstBuffer* buffer);

// A mapped frame; unmaps at the end. Memories are mapped one by one, and merged only where a plane
// crosses from one to the next. What the device of whoever reads or writes it holds is mapped to
// the device; all else to system memory, where it may have to be copied.
class MappedFrame {
 public:
  MappedFrame() = default;
  ~MappedFrame() { unmap(); }
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  // `layout` is find_layout()'s for this buffer, and `device` null for the processor. False: the
  // memory cannot be mapped.
  bool map(GstBuffer* buffer, const FrameGeometry& geometry, const BufferLayout& layout,
           GstMapFlags flags, const CudaDevice* device = nullptr);
  void unmap();
  const UnetsegFrame& view() const { return view_; }

 private:
  bool map_whole(const BufferLayout& layout, guint planes, GstMapFlags flags);
  bool map_plane(const PlaneSpan& span, guint plane, GstMapFlags flags);

  GstBuffer* buffer_ = nullptr;
  GstMapInfo maps_[4];
  guint mapped_ = 0;
  UnetsegFrame view_;
  const CudaDevice* device_ = nullptr;  // that holds it
};

// Copies the pixels from one mapped frame to another of the same geometry.
void copy_pixels(const UnetsegFrame& from, const UnetsegFrame& to, const FrameGeometry& geometry);

}  // namespace unetseg
