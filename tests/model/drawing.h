// SPDX-License-Identifier: MIT
// Maps to draw, and drawing them.
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "model/frame/painter.h"

#include "tests/model/frames.h"
#include "tests/model/map.h"

inline Map uniform(float value) {
  return {1, 1, {value}};
}

// As large as the frame, so that the mask is what is written down.
inline Map only(int width, int height, const std::vector<std::pair<int, int>>& pixels) {
  Map map{width, height, std::vector<float>(static_cast<std::size_t>(width * height), 0)};
  for (const auto& p : pixels) map.values[static_cast<std::size_t>(p.second * width + p.first)] = 1;
  return map;
}

// A disc whose probability falls evenly with the distance from its rim, in map pixels.
inline Map disc(int size, double x, double y, double radius) {
  Map map{size, size, {}};
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double outside = std::hypot(i + 0.5 - x, j + 0.5 - y) - radius;
      map.values.push_back(static_cast<float>(std::min(std::max(0.5 - outside / 16, 0.0), 1.0)));
    }
  return map;
}

inline UnetsegStyle overlay(guint32 color, double opacity, guint32 contour_color = 0,
                            guint contour_width = 0) {
  return {UNETSEG_DRAW_OVERLAY, color, opacity, contour_color, contour_width};
}

inline UnetsegStyle mode(UnetsegDrawMode mode) {
  return {mode, 0xffffffff, 1, 0xffffffff, 3};
}

inline void draw(const Map& map, TestFrame& frame, const UnetsegStyle& style,
                 double threshold = 0.5) {
  unetseg::Painter().draw(map.view(), threshold, frame.view(), style);
}

// The definition of blending.
inline int blended(int from, int to, int alpha) {
  return (from * (255 - alpha) + to * alpha + 127) / 255;
}
