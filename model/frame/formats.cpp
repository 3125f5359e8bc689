// SPDX-License-Identifier: MIT
#include "model/frame/formats.h"

#include <algorithm>

#include "model/error.h"

namespace unetseg {
namespace {

constexpr PixelLayout packed(int step, int red, int green, int blue, int alpha = -1) {
  return {ColourModel::rgb,
          1,
          3,
          {{0, red, step, 0, 0}, {0, green, step, 0, 0}, {0, blue, step, 0, 0}},
          8,
          alpha};
}

constexpr Component kLuma = {0, 0, 1, 0, 0};

constexpr PixelLayout yuv(int planes, Component y, Component u, Component v, int depth = 8) {
  return {ColourModel::yuv, planes, 3, {y, u, v}, depth};
}

// In the order of UnetsegFormat.
constexpr PixelLayout kLayouts[] = {
    packed(3, 0, 1, 2),                                             // RGB
    packed(3, 2, 1, 0),                                             // BGR
    packed(4, 0, 1, 2),                                             // RGBX
    packed(4, 2, 1, 0),                                             // BGRX
    packed(4, 1, 2, 3),                                             // XRGB
    packed(4, 3, 2, 1),                                             // XBGR
    packed(4, 0, 1, 2, 3),                                          // RGBA
    packed(4, 2, 1, 0, 3),                                          // BGRA
    packed(4, 1, 2, 3, 0),                                          // ARGB
    packed(4, 3, 2, 1, 0),                                          // ABGR
    {ColourModel::grey, 1, 1, {kLuma, {}, {}}},                     // GRAY8
    yuv(3, kLuma, {1, 0, 1, 1, 1}, {2, 0, 1, 1, 1}),                // I420
    yuv(2, kLuma, {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}),                // NV12
    yuv(3, kLuma, {2, 0, 1, 1, 1}, {1, 0, 1, 1, 1}),                // YV12
    yuv(3, kLuma, {1, 0, 1, 1, 0}, {2, 0, 1, 1, 0}),                // Y42B
    yuv(3, kLuma, {1, 0, 1, 0, 0}, {2, 0, 1, 0, 0}),                // Y444
    yuv(2, kLuma, {1, 1, 2, 1, 1}, {1, 0, 2, 1, 1}),                // NV21
    yuv(1, {0, 0, 2, 0, 0}, {0, 1, 4, 1, 0}, {0, 3, 4, 1, 0}),      // YUY2
    yuv(1, {0, 1, 2, 0, 0}, {0, 0, 4, 1, 0}, {0, 2, 4, 1, 0}),      // UYVY
    yuv(2, {0, 0, 2, 0, 0}, {1, 0, 4, 1, 1}, {1, 2, 4, 1, 1}, 10),  // P010_10LE
};
constexpr int kFormats = sizeof kLayouts / sizeof kLayouts[0];
static_assert(kFormats == UNETSEG_FORMAT_P010_10LE + 1, "one row for each format");

}  // namespace

const PixelLayout& pixel_layout(UnetsegFormat format) {
  const int index = static_cast<int>(format);
  if (index < 0 || index >= kFormats)
    throw Error(Fault::frame_format, "This pixel format cannot be processed.",
                "format " + std::to_string(index));
  return kLayouts[index];
}

std::size_t row_bytes(const PixelLayout& layout, int plane, int width) {
  std::size_t bytes = 0;
  for (int i = 0; i < layout.components; ++i) {
    const Component& c = layout.component[i];
    if (c.plane != plane) continue;
    bytes = std::max(bytes, static_cast<std::size_t>(subsampled(width, c.shift_x)) *
                                static_cast<std::size_t>(c.step));
  }
  return bytes;
}

int row_shift(const PixelLayout& layout, int plane) {
  int i = 0;
  while (layout.component[i].plane != plane) ++i;
  return layout.component[i].shift_y;
}

void check_frame(const UnetsegFrame& frame) {
  const PixelLayout& layout = pixel_layout(frame.format);
  bool complete = frame.width >= 1 && frame.height >= 1;
  for (int plane = 0; plane < layout.planes; ++plane) complete &= frame.plane[plane] != nullptr;
  if (!complete)
    throw Error(Fault::frame_format, "A frame without pixels cannot be processed.",
                std::to_string(frame.width) + " x " + std::to_string(frame.height));
}

}  // namespace unetseg
