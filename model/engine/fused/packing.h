// SPDX-License-Identifier: MIT
// Weights in the order in which the kernels read them.
#pragma once

#include <cstddef>
#include <vector>

#include "model/engine/fused/aligned.h"
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

// Where a step of a convolution in bfloat16 begins: in this row of the kernel, so many values
// behind the first channel of its first pixel.
struct Bf16Place {
  int row, value;
};

// The steps of a kernel of `rows` x `pixels` pixels: along each of its rows, the last one beyond
// its end where channels do not fill steps.
std::vector<Bf16Place> bf16_order(int rows, int pixels, int channels);

// For Bf16Job: for every kBf16Columns columns a block of steps x kBf16Step / 2 x kBf16Columns pairs
// of values that follow each other in the step.
// Of `at_once` outputs side by side the columns follow each other, and the kernel is that much
// wider.
Aligned<Bf16> pack_bf16(const ConvWeights& weights, int columns, int at_once);

// The 3x3 weights of a picture that is enlarged twofold first, as four kernels of 2x2 taps on the
// small one, each packed so: of outputs (even, even), (even, odd), (odd, even) and (odd, odd), of
// which the odd ones begin a pixel later.
Aligned<Bf16> pack_bf16_enlarged(const ConvWeights& weights, int columns);

}  // namespace unetseg::fused
