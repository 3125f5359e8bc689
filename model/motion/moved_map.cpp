// SPDX-License-Identifier: MIT
#include "model/motion/moved_map.h"

#include <algorithm>
#include <cmath>

#include "model/error.h"

namespace unetseg {

MapMovement::MapMovement(const UnetsegMotion& motion, int width, int height) {
  const double* m = motion.m;
  const double determinant = m[0] * m[4] - m[1] * m[3];
  if (!std::isfinite(determinant) || std::abs(determinant) < 1e-6)
    throw Error(Fault::settings, "A mask cannot be moved: please report this",
                "a movement that has no inverse");
  // Inverted, in pixels, whose centres are at half-integers.
  const double inverse[6] = {
      m[4] / determinant,  -m[1] / determinant, (m[1] * m[5] - m[4] * m[2]) / determinant,
      -m[3] / determinant, m[0] / determinant,  (m[3] * m[2] - m[0] * m[5]) / determinant};
  const double aspect = static_cast<double>(width) / height;
  to_x_[0] = inverse[0];
  to_x_[1] = inverse[1] * aspect;
  to_x_[2] = inverse[2] * width + 0.5 * (to_x_[0] + to_x_[1] - 1);
  to_y_[0] = inverse[3] / aspect;
  to_y_[1] = inverse[4];
  to_y_[2] = inverse[5] * height + 0.5 * (to_y_[0] + to_y_[1] - 1);
}

// Calls take(index, value, inside) for each pixel; `inside`: it comes from within the map.
template <typename Take>
void MapMovement::visit(const ProbabilityView& map, Take take) const {
  const double right = map.width - 1, bottom = map.height - 1;
  std::size_t i = 0;
  for (int y = 0; y < map.height; ++y)
    for (int x = 0; x < map.width; ++x, ++i) {
      const double from_x = to_x_[0] * x + to_x_[1] * y + to_x_[2];
      const double from_y = to_y_[0] * x + to_y_[1] * y + to_y_[2];
      const double column = std::clamp(from_x, 0.0, right), row = std::clamp(from_y, 0.0, bottom);
      const int left = static_cast<int>(column), top = static_cast<int>(row);
      const float across = static_cast<float>(column - left), down = static_cast<float>(row - top);
      const float* upper =
          map.data + static_cast<std::size_t>(top) * static_cast<std::size_t>(map.width) + left;
      const float* lower = top + 1 < map.height ? upper + map.width : upper;
      const int next = left + 1 < map.width ? 1 : 0;
      const float above = upper[0] + across * (upper[next] - upper[0]);
      const float below = lower[0] + across * (lower[next] - lower[0]);
      const bool inside =
          from_x >= -0.5 && from_y >= -0.5 && from_x <= right + 0.5 && from_y <= bottom + 0.5;
      take(i, above + down * (below - above), inside);
    }
}

void MapMovement::move(const ProbabilityView& map, float* moved) const {
  visit(map, [=](std::size_t i, float value, bool) { moved[i] = value; });
}

void MapMovement::mix(const ProbabilityView& map, double weight, float* into) const {
  const float mixed_in = static_cast<float>(weight), kept = 1 - mixed_in;
  visit(map, [=](std::size_t i, float value, bool inside) {
    if (inside) into[i] = kept * into[i] + mixed_in * value;
  });
}

}  // namespace unetseg
