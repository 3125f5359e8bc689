// SPDX-License-Identifier: MIT
// Bilinear enlarging of a probability map: the one arithmetic for a row of it and for a pixel
// alone.
#pragma once

#include "model/frame/on_gpu.h"
#include "model/mask/frame_part.h"

namespace unetseg {

// The samples of a map's axis on both sides of a frame's pixel.
struct Neighbours {
  int left;
  float right_weight;  // 0 where there is no right neighbour
};

inline Neighbours neighbours(const PlacedAxis& axis, int pixel, int samples) {
  const double centre = axis.to_map(pixel + 0.5) - 0.5;
  if (!(centre > 0)) return {0, 0};
  const int left = static_cast<int>(centre);
  if (left >= samples - 1) return {samples - 1, 0};
  return {left, static_cast<float>(centre - left)};
}

// From `left` toward `right`. Monotone in `right_weight`.
UNETSEG_ON_GPU inline float between(float left, float right, float right_weight) {
  return left + right_weight * (right - left);
}

}  // namespace unetseg
