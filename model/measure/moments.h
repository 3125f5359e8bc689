// SPDX-License-Identifier: MIT
// What sums over a mask's pixels tell of it: area, place, and the directions it extends in.
#pragma once

#include "model/frame/level_line.h"
#include "model/mask/mask.h"

namespace unetseg {

// Frame pixels. All is 0 where the mask is empty.
struct Moments {
  double area;
  int left, top, right, bottom;  // bounding box, [left, right) x [top, bottom)
  Point centroid;
  double xx, xy, yy;  // second central moments over the area
  double frame_edge;  // length of the frame's edge along which the mask lies
  bool corner[2][2];  // whether the frame's corner pixels are set: [bottom][right]

  // Unit vector along the longer principal axis; the frame's x axis where no direction is longer
  // than another by more than rounding and sampling make it.
  Point long_axis() const;
};

// Of the mask of the upsampler's size, which is not made: runs are summed.
Moments sum_moments(Upsampler& upsampler, double threshold);

}  // namespace unetseg
