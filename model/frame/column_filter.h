// SPDX-License-Identifier: MIT
// Resampling along a row whose samples are interleaved.
#pragma once

#include <cstddef>
#include <vector>

#include "model/frame/axis.h"

namespace unetseg {

// What each output is a weighted sum of, as plain arrays.
struct Taps {
  std::size_t outputs;
  std::size_t count;         // floats that each output is a sum of, most with a weight of 1
  const std::size_t* first;  // float of a row, for each output
  const float* weight;       // `count` for each output
};

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
  void (*run_)(const Taps&, const float* row, float scale, float* const out[4]);
  float scale_;
  std::size_t taps_;
  std::vector<std::size_t> first_;
  std::vector<float> weight_;
};

}  // namespace unetseg
