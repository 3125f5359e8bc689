// SPDX-License-Identifier: MIT
// A probability map that moves with the picture.
#pragma once

#include "model/backend/backend.h"
#include "model/mask/mask.h"

namespace unetseg {

// Where each pixel of a moved map comes from.
class MapMovement {
 public:
  // Throws Error(settings) for a movement that cannot be undone.
  MapMovement(const UnetsegMotion& motion, int width, int height);

  // Writes `map`, moved: bilinear, the edge's values going on beyond it. `moved` has as many pixels
  // and is not `map`.
  void move(const ProbabilityView& map, float* moved) const;
  // Mixes `map`, moved, into `into` with `weight`, where the map has something to say.
  void mix(const ProbabilityView& map, double weight, float* into) const;

 private:
  template <typename Take>
  void visit(const ProbabilityView& map, Take take) const;

  double to_x_[3], to_y_[3];  // a moved map's pixel (x, y, 1) to the map's
};

}  // namespace unetseg
