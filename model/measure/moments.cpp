// SPDX-License-Identifier: MIT
#include "model/measure/moments.h"

#include <algorithm>
#include <cmath>

namespace unetseg {
namespace {

constexpr double kRound = 1e-3;  // difference of the axes' moments, of their sum

}  // namespace

Point Moments::long_axis() const {
  const double difference = xx - yy, mixed = 2 * xy;
  if (std::hypot(difference, mixed) <= kRound * (xx + yy)) return {1, 0};
  const double angle = std::atan2(mixed, difference) / 2;
  return {std::cos(angle), std::sin(angle)};
}

Moments sum_moments(Upsampler& upsampler, double threshold) {
  Moments m = {};
  m.left = upsampler.width();
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  int first, last;
  upsampler.rows_reaching(threshold, &first, &last);
  for (int row = first; row < last; ++row) {
    const std::vector<Run>& runs = upsampler.runs_reaching(row, threshold);
    if (runs.empty()) continue;
    double length = 0, row_x = 0;
    for (const Run& run : runs) {
      // Integrals over the pixels, which are squares, not points.
      const double a = run.first, b = run.last;
      length += b - a;
      row_x += (b * b - a * a) / 2;
      xx += (b * b * b - a * a * a) / 3;
    }
    const double middle = row + 0.5;
    m.area += length;
    x += row_x;
    y += length * middle;
    xy += row_x * middle;
    yy += length * (middle * middle + 1.0 / 12);

    const bool at_left = runs.front().first == 0, at_right = runs.back().last == upsampler.width();
    if (m.bottom == 0) m.top = row;
    m.bottom = row + 1;
    m.left = std::min(m.left, runs.front().first);
    m.right = std::max(m.right, runs.back().last);
    m.frame_edge += (at_left ? 1 : 0) + (at_right ? 1 : 0);
    for (const int edge : {0, 1}) {
      if (row != (edge == 0 ? 0 : upsampler.height() - 1)) continue;
      m.frame_edge += length;
      m.corner[edge][0] = at_left;
      m.corner[edge][1] = at_right;
    }
  }
  if (m.area == 0) return {};
  m.centroid = {x / m.area, y / m.area};
  m.xx = xx / m.area - m.centroid.x * m.centroid.x;
  m.xy = xy / m.area - m.centroid.x * m.centroid.y;
  m.yy = yy / m.area - m.centroid.y * m.centroid.y;
  return m;
}

}  // namespace unetseg
