// SPDX-License-Identifier: MIT
// A stroke's line piece by piece, and how far pixels are from a piece: the one arithmetic for the
// processor's rows and the GPU's tiles.
#pragma once

#include <algorithm>
#include <cmath>

#include "model/frame/level_line.h"
#include "model/frame/on_gpu.h"

namespace unetseg {

// A segment by its middle, its direction and half of its length, and the rows that it crosses, in
// frame pixels.
struct Chord {
  double middle_x, middle_y, direction_x, direction_y;
  double half, top, bottom;
};

// A chord as the pixels of a row see it: (x, y) is the centre of the first of them, from the
// chord's middle.
struct ChordView {
  float x, y, direction_x, direction_y, half;
};

inline Chord chord_of(const Segment& s) {
  const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = std::sqrt(dx * dx + dy * dy);
  const bool directed = length > 0;
  return {(s.a.x + s.b.x) / 2,        (s.a.y + s.b.y) / 2, directed ? dx / length : 1,
          directed ? dy / length : 0, length / 2,          std::min(s.a.y, s.b.y),
          std::max(s.a.y, s.b.y)};
}

// Whether a row whose centre is at `y` can come closer than `reach`.
UNETSEG_ON_GPU inline bool begins_above(const Chord& chord, double y, double reach) {
  return chord.top - reach < y;
}
UNETSEG_ON_GPU inline bool ends_above(const Chord& chord, double y, double reach) {
  return chord.bottom + reach <= y;
}

// Numbers of the pixels whose centres on a row are from `low` to `high`, cut to 0 .. width.
UNETSEG_ON_GPU inline Run pixels_between(double low, double high, int width) {
  const double edge = width;
  return {static_cast<int>(std::ceil(std::min(std::max(low - 0.5, 0.0), edge))),
          static_cast<int>(std::floor(std::min(std::max(high + 0.5, 0.0), edge)))};
}

// Pixels of the row at `y`. No other is closer than `reach`; some of these may not be either. The
// point of the chord that is nearest to one that is lies as close to its row.
UNETSEG_ON_GPU inline Run reached(const Chord& chord, double y, double reach, int width) {
  constexpr double kLevel = 1e-6;
  double from = -chord.half, to = chord.half;
  if (std::fabs(chord.direction_y) > kLevel) {
    const double a = (y - reach - chord.middle_y) / chord.direction_y;
    const double b = (y + reach - chord.middle_y) / chord.direction_y;
    from = std::max(from, std::min(a, b));
    to = std::min(to, std::max(a, b));
  }
  const double a = chord.middle_x + from * chord.direction_x;
  const double b = chord.middle_x + to * chord.direction_x;
  return pixels_between(std::min(a, b) - reach, std::max(a, b) + reach, width);
}

UNETSEG_ON_GPU inline ChordView seen_from(const Chord& chord, int pixel, double y) {
  return {static_cast<float>(pixel + 0.5 - chord.middle_x), static_cast<float>(y - chord.middle_y),
          static_cast<float>(chord.direction_x), static_cast<float>(chord.direction_y),
          static_cast<float>(chord.half)};
}

// The square of the distance of pixel `i` of those that see the chord.
UNETSEG_ON_GPU inline float squared_distance(const ChordView& chord, int i) {
  const float x = chord.x + static_cast<float>(i);
  const float along = std::fabs(x * chord.direction_x + chord.y * chord.direction_y);
  const float across = x * chord.direction_y - chord.y * chord.direction_x;
  const float beyond = std::max(along - chord.half, 0.f);
  return beyond * beyond + across * across;
}

// Coverage of 0..255, to be rounded down: how far a pixel's centre lies within `reach`.
UNETSEG_ON_GPU inline float coverage_within(float reach, float squared_distance) {
  const float inside = reach - std::sqrt(squared_distance);
  return 255 * std::min(std::max(inside, 0.f), 1.f) + 0.5f;
}

}  // namespace unetseg
