// SPDX-License-Identifier: MIT
// Probability maps of shapes whose measures are known: sure inside and outside, and soft along the
// border, as networks give them.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "model/frame/level_line.h"
#include "model/mask/mask.h"
#include "tests/model/map.h"

namespace shapes {

constexpr double kPi = 3.14159265358979323846;

// Signed distance from a shape's border to a point of the frame, negative inside.
using Distance = std::function<double(double x, double y)>;

// The map of a `width` x `height` frame: .5 on the border, falling from 1 to 0 over four pixels of
// the map.
inline Map map_of(const Distance& distance, int width, int height, int size = 128) {
  Map map{size, size, {}};
  const double soft = 4.0 * std::max(width, height) / size;
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double off = distance((i + 0.5) * width / size, (j + 0.5) * height / size);
      map.values.push_back(static_cast<float>(std::min(std::max(0.5 - off / soft, 0.0), 1.0)));
    }
  return map;
}

inline Distance disc(double x, double y, double radius) {
  return [=](double px, double py) { return std::hypot(px - x, py - y) - radius; };
}

inline Distance polygon(std::vector<unetseg::Point> corners) {
  return [corners = std::move(corners)](double x, double y) {
    double nearest = 1e9;
    bool inside = false;
    for (std::size_t i = 0; i < corners.size(); ++i) {
      const unetseg::Point a = corners[i], b = corners[(i + 1) % corners.size()];
      const double dx = b.x - a.x, dy = b.y - a.y;
      const double t = ((x - a.x) * dx + (y - a.y) * dy) / (dx * dx + dy * dy);
      const double part = std::min(std::max(t, 0.0), 1.0);
      nearest = std::min(nearest, std::hypot(x - a.x - part * dx, y - a.y - part * dy));
      if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) / dy * dx) inside = !inside;
    }
    return inside ? -nearest : nearest;
  };
}

// Around (x, y), its long half-axis turned by `angle` from the x axis. A polygon: an ellipse's
// distance has no formula.
inline Distance ellipse(double x, double y, double a, double b, double angle) {
  std::vector<unetseg::Point> corners;
  for (int i = 0; i < 360; ++i) {
    const double u = a * std::cos(i * kPi / 180), v = b * std::sin(i * kPi / 180);
    corners.push_back({x + u * std::cos(angle) - v * std::sin(angle),
                       y + u * std::sin(angle) + v * std::cos(angle)});
  }
  return polygon(corners);
}

// Five points, the first at the top.
inline std::vector<unetseg::Point> star(double x, double y, double outer, double inner) {
  std::vector<unetseg::Point> corners;
  for (int i = 0; i < 10; ++i) {
    const double radius = i % 2 == 0 ? outer : inner, angle = (i * 36 - 90) * kPi / 180;
    corners.push_back({x + radius * std::cos(angle), y + radius * std::sin(angle)});
  }
  return corners;
}

}  // namespace shapes
