// SPDX-License-Identifier: MIT
// Where each pixel format keeps its colour components: the one table behind sampling and drawing.
#pragma once

#include <cstddef>

#include "model/backend/backend.h"

namespace unetseg {

enum class ColourModel { rgb, yuv, grey };

// One colour component. Chroma is subsampled by 2^shift on each axis.
struct Component {
  int plane;
  int offset;  // bytes from a row's first byte to the first sample
  int step;    // bytes from a sample to its right neighbour
  int shift_x, shift_y;
};

struct PixelLayout {
  ColourModel model;
  int planes;
  int components;          // 3, or 1 for grey
  Component component[3];  // R, G, B or Y, U, V or grey
  int depth = 8;           // bits: 8 in a byte, or 10 in the high bits of two, the low byte first
  int alpha = -1;          // offset of a packed pixel's alpha in bytes; -1 where there is none

  int value_bytes() const { return depth > 8 ? 2 : 1; }
};

// Throws Error(frame_format) for a value that is none of UnetsegFormat's.
const PixelLayout& pixel_layout(UnetsegFormat format);

// Throws Error(frame_format) for a frame without pixels, or of an unknown format.
void check_frame(const UnetsegFrame& frame);

// Samples along an axis of `size` luma pixels; odd sizes round up.
constexpr int subsampled(int size, int shift) {
  return size / (1 << shift) + (size % (1 << shift) != 0);
}

// Whether the samples of two components lie side by side, one of each for the same pixels.
constexpr bool share_samples(const Component& a, const Component& b) {
  return a.plane == b.plane && a.shift_x == b.shift_x && a.shift_y == b.shift_y;
}

// Bytes of a plane's row that belong to samples of a frame `width` pixels wide. In packed 4:2:2 of
// odd width that includes a luma sample beyond the last pixel.
std::size_t row_bytes(const PixelLayout& layout, int plane, int width);

// By which a plane has fewer rows than the frame, as a shift.
int row_shift(const PixelLayout& layout, int plane);

// First byte of a plane's row. Strides may be negative.
inline guint8* frame_row(const UnetsegFrame& frame, int plane, int y) {
  return frame.plane[plane] + static_cast<std::ptrdiff_t>(y) * frame.stride[plane];
}

}  // namespace unetseg
