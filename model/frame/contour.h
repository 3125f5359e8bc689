// SPDX-License-Identifier: MIT
// Draws a line as anti-aliased coverage, one frame row at a time, without a plane to draw into.
#pragma once

#include <cstdint>
#include <vector>

#include "model/frame/level_line.h"

namespace unetseg {

class Contour {
 public:
  // The level line (see trace_level_line) with a stroke of `stroke` pixels, at least 1, centred on
  // it. Throws std::bad_alloc.
  void trace(const ProbabilityView& probabilities, double threshold, int width, int height,
             double stroke);

  // Rows [first, last) that the stroke may touch; the same twice where there is no line.
  Run rows() const { return rows_; }

  // Coverage of row y, 0..255 for each pixel: how far the pixel's centre lies within the stroke's
  // edge, half a pixel to either side of it. Rows must be asked for in ascending order.
  const std::uint8_t* row(int y);

  // Pixels of the row asked for last that may be covered.
  Run touched() const { return touched_; }

 private:
  void draw(const Segment& segment, double y);

  double radius_ = 0;
  Run rows_{0, 0}, touched_{0, 0};
  std::vector<Segment> segments_;    // in the order in which rows meet them
  std::size_t next_ = 0;             // the first segment below the row asked for last
  std::vector<std::size_t> active_;  // those that cross it
  std::vector<std::uint8_t> coverage_;
};

}  // namespace unetseg
