// SPDX-License-Identifier: MIT
// Where a bilinearly enlarged probability map crosses a threshold, as line segments in the frame.
#pragma once

#include <vector>

#include "model/mask/mask.h"

namespace unetseg {

// Frame pixels; pixel (x, y) covers [x, x + 1) x [y, y + 1).
struct Point {
  double x, y;
};

struct Segment {
  Point a, b;
};

// Replaces `segments` with the level line of the field that an Upsampler of this size draws from.
// Segments come in no order and stay within about a tenth of a pixel of the line. Where the lesion
// leaves the frame the line ends at the frame's edge; where it leaves the map's part within the
// frame the line goes on along the part's edge. Throws std::bad_alloc.
void trace_level_line(const ProbabilityView& probabilities, double threshold, int width, int height,
                      std::vector<Segment>& segments);

}  // namespace unetseg
