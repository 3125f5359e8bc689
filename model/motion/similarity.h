// SPDX-License-Identifier: MIT
// Movements that a hand-held camera makes: shifts, turns and changes of distance.
#pragma once

#include "model/backend/backend.h"

namespace unetseg {

// Shape of a picture, in a unit that is the same along both axes: the shorter side is 1 long.
struct Extent {
  double width = 1, height = 1;
};

// (u, v) goes to (a u - b v + x, b u + a v + y): coordinates from the picture's centre, in the unit
// of Extent. a + ib is the scale times the turn.
struct Similarity {
  double a = 1, b = 0, x = 0, y = 0;

  double determinant() const { return a * a + b * b; }

  // First `inner`, then this one.
  Similarity after(const Similarity& inner) const {
    return {a * inner.a - b * inner.b, a * inner.b + b * inner.a, a * inner.x - b * inner.y + x,
            b * inner.x + a * inner.y + y};
  }
  // Not for one that shrinks everything to a point.
  Similarity inverse() const {
    const double d = determinant();
    return {a / d, -b / d, -(a * x + b * y) / d, (b * x - a * y) / d};
  }
};

// In widths and heights of the picture, from its corner, as UnetsegMotion counts. The nearest
// similarity, where `m` is of another kind.
inline Similarity similarity_from(const double* m, const Extent& extent) {
  const double aspect = extent.width / extent.height;
  Similarity s;
  s.a = 0.5 * (m[0] + m[4]);
  s.b = 0.5 * (m[3] / aspect - m[1] * aspect);
  s.x = (0.5 * (m[0] + m[1] - 1) + m[2]) * extent.width;
  s.y = (0.5 * (m[3] + m[4] - 1) + m[5]) * extent.height;
  return s;
}

inline void to_matrix(const Similarity& s, const Extent& extent, double* m) {
  const double aspect = extent.width / extent.height;
  m[0] = s.a;
  m[1] = -s.b / aspect;
  m[2] = 0.5 * (1 - m[0] - m[1]) + s.x / extent.width;
  m[3] = s.b * aspect;
  m[4] = s.a;
  m[5] = 0.5 * (1 - m[3] - m[4]) + s.y / extent.height;
}

}  // namespace unetseg
