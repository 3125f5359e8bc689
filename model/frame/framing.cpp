// SPDX-License-Identifier: MIT
#include "model/frame/framing.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace unetseg {
namespace {

// The middle `share` of an axis, but one pixel of it at least.
Interval middle(int pixels, double share) {
  const std::int64_t all = whole_axis(pixels).length;
  // Whole units on each side, so that as much is left before it as after it.
  const std::int64_t side = std::llround((1 - share) / 2 * static_cast<double>(all));
  const std::int64_t first = std::min(std::max<std::int64_t>(side, 0), (all - kSubpixels) / 2);
  return {first, all - 2 * first};
}

int covered(int pixels, double share) {
  return std::max(1, static_cast<int>(std::lround(share * pixels)));
}

Share share_of(const Interval& part, int pixels) {
  const double all = static_cast<double>(whole_axis(pixels).length);
  return {static_cast<double>(part.first) / all,
          static_cast<double>(part.first + part.length) / all};
}

// Width to height of the frame as it is displayed, in those of the input.
double relative_shape(const UnetsegFrame& frame, int width, int height) {
  const auto ratio = [](gint value) { return value > 0 ? static_cast<double>(value) : 1.0; };
  return frame.width * ratio(frame.par_n) * height / (frame.height * ratio(frame.par_d) * width);
}

}  // namespace

Framing framing_of(const UnetsegFrame& frame, UnetsegFit fit, int width, int height) {
  Framing framing = {whole_axis(frame.width), whole_axis(frame.height), 0, 0, width, height, {}};
  const double shape = relative_shape(frame, width, height);
  if (fit == UNETSEG_FIT_LETTERBOX) {
    if (shape > 1) framing.height = covered(height, 1 / shape);
    if (shape < 1) framing.width = covered(width, shape);
    framing.x = (width - framing.width) / 2;
    framing.y = (height - framing.height) / 2;
  } else if (fit == UNETSEG_FIT_CROP) {
    if (shape > 1) framing.across = middle(frame.width, 1 / shape);
    if (shape < 1) framing.down = middle(frame.height, shape);
  }
  framing.part = {share_of(framing.across, frame.width), share_of(framing.down, frame.height)};
  return framing;
}

void keep_shown(const Framing& framing, int columns, float* map) {
  if (framing.x == 0 && framing.y == 0 && framing.width == columns) return;
  float* to = map;
  const float* from = map + static_cast<std::ptrdiff_t>(framing.y) * columns + framing.x;
  const std::size_t width = static_cast<std::size_t>(framing.width);
  for (int y = 0; y < framing.height; ++y, from += columns, to += width)
    std::memmove(to, from, width * sizeof *to);
}

}  // namespace unetseg
