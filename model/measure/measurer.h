// SPDX-License-Identifier: MIT
// Measures the lesion that a mask of the frame's size shows, without making that mask.
#pragma once

#include <vector>

#include "model/backend/backend.h"
#include "model/frame/level_line.h"
#include "model/mask/mask.h"

namespace unetseg {

// Everything is of what the frame shows, all regions together: a lesion that the frame cuts off
// ends at the frame's edge, and a hole's rim is part of the border. Lengths are in pixels of the
// frame, which are taken for squares whatever the pixel aspect ratio.
//
//  area, bounding box, centroid: of the pixels that the mask sets; the box is empty and all numbers
//    are 0 where there are none.
//  perimeter: length of the level line that the mask is cut out along (see trace_level_line), which
//    has no stairs, and of the frame's edge where the lesion is cut off.
//  diameter: the largest Feret diameter, from one point of that border to another.
//  asymmetry: share of the lesion that its mirror image does not cover, 0 to 1, the mean over
//    mirrors in the two principal axes through the centroid (after Stoecker, Li & Moss, "Automatic
//    detection of asymmetry in skin tumors", Comput Med Imaging Graph 16, 1992: A of the ABCD
//    rule). Shapes without principal axes, as squares are, have the frame's.
//  border_irregularity: compactness, perimeter^2 / (4 pi area) (Golston, Stoecker, Moss & Dhillon,
//    "Automatic detection of irregular borders in melanoma and other skin tumors", same volume: B
//    of the ABCD rule). A disc has 1, which is the least; everything else has more.
//  confidence: the Dice score to be expected if each pixel is lesion with the network's
//    probability, to first order: 2 sum(p m) / (sum(p) + sum(m)) over the network's pixels, p the
//    probability and m 1 in the mask (soft Dice confidence, Borges, Pacheco & Silva,
//    arXiv:2402.10665). 0 to 1; 0 where nothing is found.
//
// Memory is kept for the next call: on sizes seen before it allocates nothing but room for a longer
// border than any before. One object per thread.
class Measurer {
 public:
  // `shown` is what the mask is drawn from. `cleaned` and `network` are maps of its size, which the
  // confidence is of: as they were inferred, after clean-up and before it; how the picture has
  // moved since says nothing about it. `threshold` must be resolved (>= 0). Throws Error(no_space)
  // where memory for the size is not to be had.
  UnetsegMeasurement measure(const ProbabilityView& shown, const float* cleaned,
                             const float* network, int width, int height, double threshold);

 private:
  Upsampler upsampler_;
  std::vector<Segment> border_;
  std::vector<Point> points_, hull_;
};

}  // namespace unetseg
