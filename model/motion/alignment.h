// SPDX-License-Identifier: MIT
// One resolution of two pictures laid over each other: how well they fit, and what fits better.
#pragma once

#include "model/motion/picture.h"
#include "model/motion/similarity.h"

namespace unetseg {

struct Fit {
  double correlation = 0;  // -1..1, of detail, over what both see
  double overlap = 0;      // share of what the first picture sees, 0..1
};

// Looks at `from` and `to`, of the same size, at `motion`.
class Alignment {
 public:
  Alignment(const Level& from, const Level& to, const Extent& extent);

  Fit fit(const Similarity& motion);
  // Takes `steps` steps towards the best motion near `motion`, fewer where nothing changes any
  // more.
  Similarity refine(Similarity motion, int steps);

 private:
  struct Sums {
    double pixels = 0, from2 = 0, to2 = 0, product = 0;  // of all pixels that both see
    double error = 0;                                    // sum of absolute differences
    double weighted_to2 = 0, weighted_product = 0;
    double hessian[10] = {}, gradient[4] = {};  // upper triangle; x, y, a, b
  };
  template <bool kSteps>
  Sums add_up(const Similarity& motion, float gain, float scale) const;

  const Level& from_;
  const Level& to_;
  double unit_x_, unit_y_;      // of a pixel
  double centre_x_, centre_y_;  // pixels
};

}  // namespace unetseg
