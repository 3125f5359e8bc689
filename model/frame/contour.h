// SPDX-License-Identifier: MIT
// Draws a line as anti-aliased coverage, one frame row at a time, without a plane to draw into.
#pragma once

#include <cstdint>
#include <vector>

#include "model/frame/chord.h"
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

  // The pixels of the row asked for last that may be covered, from left to right, none twice.
  const std::vector<Run>& runs() const { return runs_; }

 private:
  void approach(const Chord& chord, double y);
  void join_runs();

  double radius_ = 0;
  int width_ = 0;
  Run rows_{0, 0};
  std::vector<Segment> segments_;
  std::vector<Chord> chords_;        // in the order in which rows meet them
  std::size_t next_ = 0;             // the first chord below the row asked for last
  std::vector<std::size_t> active_;  // those that cross it
  std::vector<Run> runs_;
  // Square of each pixel's distance from the line, where it may matter; and some more of them.
  std::vector<float> nearest_;
  std::vector<std::uint8_t> coverage_;
};

}  // namespace unetseg
