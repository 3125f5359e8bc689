// SPDX-License-Identifier: MIT
// How far a shape is from being its own mirror image.
#pragma once

#include <vector>

#include "model/frame/level_line.h"
#include "model/mask/mask.h"
#include "model/measure/moments.h"

namespace unetseg {

// The field that an Upsampler of this size draws from, cut at the threshold and at the frame.
struct Shape {
  ProbabilityView probabilities;
  double threshold;
  int width, height;  // of the frame
};

// Share of the shape that its mirror image does not cover, 0 to 1; the mean over mirrors in
// both principal axes through the centroid. `moments` and the convex hull are the shape's own. The
// shape is looked at in 128 x 128 places spread over its extent: its values are good to about .01.
double asymmetry_of(const Shape& shape, const Moments& moments, const std::vector<Point>& hull);

}  // namespace unetseg
