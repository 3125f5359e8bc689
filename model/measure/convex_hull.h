// SPDX-License-Identifier: MIT
// The outermost points of a set, and the longest way between two of them.
#pragma once

#include <vector>

#include "model/frame/level_line.h"

namespace unetseg {

// Replaces `hull` with the corners of the convex hull, in order round it, and sorts `points`.
// Throws std::bad_alloc.
void make_convex_hull(std::vector<Point>& points, std::vector<Point>& hull);

// The largest distance between two corners; 0 where there are fewer.
double diameter_of(const std::vector<Point>& hull);

}  // namespace unetseg
