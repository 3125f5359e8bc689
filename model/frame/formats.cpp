// SPDX-License-Identifier: MIT
#include "model/frame/formats.h"

#include "model/error.h"

namespace unetseg {
namespace {

constexpr PixelLayout packed(int step, int red, int green, int blue) {
  return {ColourModel::rgb,
          1,
          3,
          {{0, red, step, 0, 0}, {0, green, step, 0, 0}, {0, blue, step, 0, 0}}};
}

// In the order of UnetsegFormat.
constexpr PixelLayout kLayouts[] = {
    packed(3, 0, 1, 2),                                                             // RGB
    packed(3, 2, 1, 0),                                                             // BGR
    packed(4, 0, 1, 2),                                                             // RGBX
    packed(4, 2, 1, 0),                                                             // BGRX
    packed(4, 1, 2, 3),                                                             // XRGB
    packed(4, 3, 2, 1),                                                             // XBGR
    packed(4, 0, 1, 2),                                                             // RGBA
    packed(4, 2, 1, 0),                                                             // BGRA
    packed(4, 1, 2, 3),                                                             // ARGB
    packed(4, 3, 2, 1),                                                             // ABGR
    {ColourModel::grey, 1, 1, {{0, 0, 1, 0, 0}, {}, {}}},                           // GRAY8
    {ColourModel::yuv, 3, 3, {{0, 0, 1, 0, 0}, {1, 0, 1, 1, 1}, {2, 0, 1, 1, 1}}},  // I420
    {ColourModel::yuv, 2, 3, {{0, 0, 1, 0, 0}, {1, 0, 2, 1, 1}, {1, 1, 2, 1, 1}}},  // NV12
};
constexpr int kFormats = sizeof kLayouts / sizeof kLayouts[0];
static_assert(kFormats == UNETSEG_FORMAT_NV12 + 1, "one row for each format");

}  // namespace

const PixelLayout& pixel_layout(UnetsegFormat format) {
  const int index = static_cast<int>(format);
  if (index < 0 || index >= kFormats)
    throw Error(Fault::frame_format, "This pixel format cannot be processed.",
                "format " + std::to_string(index));
  return kLayouts[index];
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
