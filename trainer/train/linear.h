// SPDX-License-Identifier: MIT
// 2x2 maps of a picture's plane.
#pragma once

#include <cmath>

namespace unetseg::trainer {

constexpr double kTurn = 6.283185307179586;

// Products read right to left.
struct Linear {
  double a, b, c, d;
  Linear operator*(const Linear& o) const {
    return {a * o.a + b * o.c, a * o.b + b * o.d, c * o.a + d * o.c, c * o.b + d * o.d};
  }
};

inline Linear rotation(double angle) {
  return {std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)};
}

// From a view of aspect `view` (-1..1 both ways) to the picture (-1..1 both ways), with `turned`
// between the two in unsquashed coordinates. The view keeps the picture's area over `zoom` squared:
// in units of the picture's half height a picture spans (aspect, 1) and a view
// (sqrt(aspect view), sqrt(aspect / view)).
inline Linear view_to_picture(double aspect, double view, double zoom, const Linear& turned) {
  const Linear from_view{std::sqrt(aspect * view) / zoom, 0, 0, std::sqrt(aspect / view) / zoom};
  const Linear to_picture{1 / aspect, 0, 0, 1};
  return to_picture * turned * from_view;
}

}  // namespace unetseg::trainer
