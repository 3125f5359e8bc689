// SPDX-License-Identifier: MIT
// Weights in the order in which the kernels read them.
#pragma once

#include <cstddef>
#include <vector>

#include "model/engine/fused/aligned_floats.h"
#include "model/engine/fused/kernels.h"

namespace unetseg::fused {

// A convolution's weights, out x in x height x width, with inputs that may lie apart: input channel
// i of the file is channel in_channel[i] of what the kernels read, of `in_channels` altogether.
struct ConvWeights {
  const float* values;
  int out, in, kernel;
  std::vector<int> in_channel;
  int in_channels;
  float at(int o, int i, int y, int x) const {
    return values[((static_cast<std::size_t>(o) * in + i) * kernel + y) * kernel + x];
  }
};

// Where an element of a matrix rows x columns lies: blocks of kBlockRegisters x lanes columns, the
// last one of one register where that is enough; within a block row by row. `columns` is a multiple
// of `lanes`.
inline std::size_t packed_place(int rows, int columns, int lanes, int row, int column) {
  const int most = kBlockRegisters * lanes, block = column / most * most;
  const int width = columns - block < most ? lanes : most;
  return static_cast<std::size_t>(block) * static_cast<std::size_t>(rows) +
         static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(column - block);
}

// One matrix: row tap x in_channels + channel, taps row by row.
AlignedFloats pack_direct(const ConvWeights& weights, int columns, int lanes);

// The transform of 3x3 weights for a tiling: products^2 matrices of in_channels rows.
AlignedFloats pack_tiled(const ConvWeights& weights, Tiling tiling, int columns, int lanes);

}  // namespace unetseg::fused
