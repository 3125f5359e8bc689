// SPDX-License-Identifier: MIT
// How far the borders of two masks are apart.
#pragma once

#include <cstdint>

namespace unetseg::trainer {

// The 95th percentile Hausdorff distance (HD95) as a share of the picture's diagonal: of each
// border's pixels the distance to the nearest one of the other border, the 95th percentile of
// these in each direction, the larger one of both. A border is the lesion's pixels that touch skin
// or the picture's edge. NaN where a mask is empty, and in a build without OpenCV.
//
// Masks are 0 or 255, row-major and dense.
double boundary_distance(const std::uint8_t* a, const std::uint8_t* b, int width, int height);

}  // namespace unetseg::trainer
