// SPDX-License-Identifier: MIT
// Resampling along a row whose samples are interleaved.
#pragma once

#include <cstddef>
#include <vector>

#include "model/frame/axis.h"

namespace unetseg {

class ColumnFilter {
 public:
  // Samples have `step` values, 1..4. Throws std::bad_alloc.
  ColumnFilter(const Axis& axis, int step);

  // out[c][i] = axis.scale * scale * the weighted sum of span i over value c of its samples, for
  // each c below `step`. What follows the row for `overread` floats is read, need not mean anything
  // and must be finite.
  void run(const float* row, float scale, float* const out[4]) const;
  std::size_t overread() const { return taps_; }

 private:
  template <int kStep>
  void run_steps(const float* row, float scale, float* const out[4]) const;

  void (ColumnFilter::*run_)(const float*, float, float* const[4]) const;
  float scale_;
  std::size_t taps_;                // floats that each output is a sum of, most with a weight of 1
  std::vector<std::size_t> first_;  // float of a row, for each output
  std::vector<float> weight_;       // taps_ for each output
};

}  // namespace unetseg
