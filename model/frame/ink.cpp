// SPDX-License-Identifier: MIT
#include "model/frame/ink.h"

#include <algorithm>
#include <array>
#include <string>

#include "model/error.h"
#include "model/frame/colour.h"
#include "model/frame/formats.h"

namespace unetseg {

Ink ink_for(const UnetsegFrame& frame, guint32 argb, double opacity) {
  const ColourMatrix matrix = from_rgb(frame);
  const int depth = pixel_layout(frame.format).depth;
  std::array<float, 3> rgb = {static_cast<float>(argb >> 16 & 255),
                              static_cast<float>(argb >> 8 & 255), static_cast<float>(argb & 255)};
  // A saturated colour's luma is close to that of skin: a line of it would not be seen.
  if (pixel_layout(frame.format).model == ColourModel::grey)
    rgb.fill(*std::max_element(rgb.begin(), rgb.end()));
  Ink ink;
  for (int i = 0; i < 3; ++i) {
    float value = matrix.offset[i];
    for (int j = 0; j < 3; ++j) value += matrix.factor[i][j] * rgb[j];
    const float code = value * static_cast<float>(1 << (depth - 8));
    const float highest = static_cast<float>((1 << depth) - 1);
    ink.value[i] = static_cast<std::uint16_t>(std::min(std::max(code, 0.f), highest) + 0.5f);
  }
  const double alpha = (argb >> 24) * std::min(std::max(0.0, opacity), 1.0);
  ink.alpha = static_cast<std::uint8_t>(alpha + 0.5);
  return ink;
}

void check_drawing(const UnetsegFrame& frame, UnetsegDrawMode mode) {
  check_frame(frame);
  const UnetsegFormat format = frame.format;
  const bool writes_grey = mode == UNETSEG_DRAW_MASK || mode == UNETSEG_DRAW_PROBABILITY;
  if (writes_grey && format != UNETSEG_FORMAT_GRAY8)
    throw Error(Fault::frame_format, "Masks and probabilities can only be written to GRAY8 frames.",
                "format " + std::to_string(format));
  if (mode == UNETSEG_DRAW_ALPHA && pixel_layout(format).alpha < 0)
    throw Error(Fault::frame_format, "Alpha can only be written to frames that have it.",
                "format " + std::to_string(format));
}

}  // namespace unetseg
