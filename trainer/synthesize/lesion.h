// SPDX-License-Identifier: MIT
// The lesion: an irregular outline, and the pigment inside it.
#pragma once

#include "trainer/synthesize/skin.h"

namespace unetseg::trainer {

struct Lesion {
  double reach = 0;  // no part of it is farther from the frame's centre, in scene units
  // CV_32FC1: about the distance to the outline in scene units, above 0 inside. Smooth, with one
  // region above 0; the exact mask of any view of the canvas is this field, sampled, >= 0.
  cv::Mat field;
  cv::Mat veil;  // CV_32FC1, 0..1: see develop()
};

// Draws the lesion of `seed` and adds its pigment. `aspect` is the frame's longer side over its
// shorter one; a large lesion may reach over the frame's edge.
Lesion paint_lesion(const Canvas& canvas, double aspect, std::uint64_t seed, Pigments* pigments);

}  // namespace unetseg::trainer
