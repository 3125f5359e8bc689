// SPDX-License-Identifier: MIT
// Frames as buffers: every way that caps and video meta allow to lay the same pixels out.
#pragma once

#include "tests/model/frames.h"
#include "tests/plugin/bench.h"

enum class Layout {
  tight,             // as the caps say, one memory, no meta
  padded,            // longer rows and bytes between planes, told by meta
  bottom_up,         // negative strides, told by meta
  plane_per_memory,  // as the caps say, but each plane in a memory of its own
  split_in_planes,   // as the caps say, memories end in the middle of planes
};
inline const Layout kLayouts[] = {Layout::tight, Layout::padded, Layout::bottom_up,
                                  Layout::plane_per_memory, Layout::split_in_planes};

inline GstVideoInfo info_of(const std::string& caps_text) {
  const CapsPtr caps(gst_caps_from_string(caps_text.c_str()));
  GstVideoInfo info;
  ck_assert_msg(gst_video_info_from_caps(&info, caps.get()), "%s", caps_text.c_str());
  return info;
}

class PlacedFrame {
 public:
  PlacedFrame(const GstVideoInfo& info, Layout layout) : info_(info), layout_(layout) {
    const bool own = layout == Layout::padded || layout == Layout::bottom_up;
    gsize end = own ? kGuard : 0;
    for (guint p = 0; p < planes(); ++p) {
      const gint stride = GST_VIDEO_INFO_PLANE_STRIDE(&info, p) + (own ? kPadding : 0);
      const gsize rows = static_cast<gsize>(
          GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT(info.finfo, p, GST_VIDEO_INFO_HEIGHT(&info)));
      const gsize first = own ? end : GST_VIDEO_INFO_PLANE_OFFSET(&info, p);
      stride_[p] = layout == Layout::bottom_up ? -stride : stride;
      origin_[p] =
          layout == Layout::bottom_up ? first + (rows - 1) * static_cast<gsize>(stride) : first;
      end = first + rows * static_cast<gsize>(stride) + (own ? kGuard : 0);
    }
    size_ = own ? end : GST_VIDEO_INFO_SIZE(&info);
  }

  // The whole buffer: `frame`'s pixels, and canaries everywhere else.
  std::vector<guint8> bytes(TestFrame frame) const {
    std::vector<guint8> all(size_, kCanary);
    for_each_byte(frame, [&](guint p, int x, int y, gsize at) {
      all[at] = frame.byte(static_cast<int>(p), x, y);
    });
    return all;
  }
  // The opposite way: pixels into `frame`.
  void read(const std::vector<guint8>& all, TestFrame* frame) const {
    for_each_byte(*frame, [&](guint p, int x, int y, gsize at) {
      frame->byte(static_cast<int>(p), x, y) = all.at(at);
    });
  }

  BufferPtr buffer(const TestFrame& frame) const {
    const std::vector<guint8> all = bytes(frame);
    BufferPtr buffer(gst_buffer_new());
    std::vector<gsize> cuts = {0};
    if (layout_ == Layout::plane_per_memory)
      for (guint p = 1; p < planes(); ++p) cuts.push_back(origin_[p]);
    if (layout_ == Layout::split_in_planes && size_ > 2) cuts.insert(cuts.end(), {1, size_ / 2});
    cuts.push_back(size_);
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const gsize n = cuts[i + 1] - cuts[i];
      if (n == 0) continue;
      BufferPtr part(gst_buffer_new_allocate(nullptr, n, nullptr));
      gst_buffer_fill(part.get(), 0, all.data() + cuts[i], n);
      buffer.reset(gst_buffer_append(buffer.release(), part.release()));
    }
    if (layout_ == Layout::padded || layout_ == Layout::bottom_up) add_meta(buffer.get());
    return buffer;
  }

 private:
  static constexpr guint8 kCanary = 0xA5;
  static constexpr gint kPadding = 13;  // rows are not aligned either
  static constexpr gsize kGuard = 65;

  void add_meta(GstBuffer* buffer) const {
    gsize origin[GST_VIDEO_MAX_PLANES];
    gint stride[GST_VIDEO_MAX_PLANES];
    std::copy(std::begin(origin_), std::end(origin_), origin);
    std::copy(std::begin(stride_), std::end(stride_), stride);
    gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT(&info_),
                                   static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info_)),
                                   static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info_)), planes(),
                                   origin, stride);
  }

  guint planes() const { return GST_VIDEO_INFO_N_PLANES(&info_); }

  // Calls use(plane, x, y, position in the buffer) for each byte of each pixel.
  template <typename Use>
  void for_each_byte(const TestFrame& frame, Use use) const {
    for (guint p = 0; p < planes(); ++p) {
      const int plane = static_cast<int>(p);
      for (int y = 0; y < frame.rows(plane); ++y)
        for (int x = 0; x < frame.row_bytes(plane); ++x)
          use(p, x, y,
              static_cast<gsize>(static_cast<gint64>(origin_[p]) +
                                 static_cast<gint64>(y) * stride_[p] + x));
    }
  }

  GstVideoInfo info_;
  Layout layout_;
  gsize origin_[GST_VIDEO_MAX_PLANES] = {};  // of pixel (0, 0)
  gint stride_[GST_VIDEO_MAX_PLANES] = {};
  gsize size_;
};
