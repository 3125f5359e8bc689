// SPDX-License-Identifier: MIT
// Where each pixel format keeps its colour components: the one table behind sampling and drawing.
#pragma once

#include <cstddef>

#include "model/backend/backend.h"

namespace unetseg {

enum class ColourModel { rgb, yuv, grey };

// One 8-bit colour component. Chroma is subsampled by 2^shift on each axis.
struct Component {
  int plane;
  int offset;  // bytes from a pixel's first byte
  int step;    // bytes from a pixel to its right neighbour
  int shift_x, shift_y;
};

struct PixelLayout {
  ColourModel model;
  int planes;
  int components;          // 3, or 1 for grey
  Component component[3];  // R, G, B or Y, U, V or grey
};

// Throws Error(frame_format) for a value that is none of UnetsegFormat's.
const PixelLayout& pixel_layout(UnetsegFormat format);

// Throws Error(frame_format) for a frame without pixels, or of an unknown format.
void check_frame(const UnetsegFrame& frame);

// Samples along an axis of `size` luma pixels; odd sizes round up.
constexpr int subsampled(int size, int shift) {
  return size / (1 << shift) + (size % (1 << shift) != 0);
}

// First byte of a plane's row. Strides may be negative.
inline guint8* frame_row(const UnetsegFrame& frame, int plane, int y) {
  return frame.plane[plane] + static_cast<std::ptrdiff_t>(y) * frame.stride[plane];
}

}  // namespace unetseg
