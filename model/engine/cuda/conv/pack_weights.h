// SPDX-License-Identifier: MIT
// A convolution's weights in the order in which tensor cores read them.
#pragma once

#include <cstdint>
#include <vector>

#include "model/engine/cuda/conv/geometry.h"

namespace unetseg::cuda {

// `weights`: out_channels x all input channels x kernel x kernel, where the kernel is 1 for
// `pointwise` and 3 for all others. `inputs`: the channels of each input, side by side. `type`:
// fp16 or bf16.
//
// The result, by phase, column of kPackedColumns output channels (filled up with zeros to
// kMostColumns), tap and block of kMatrixDepth input channels (each input filled up to these):
// kPackedBlock numbers at packed_place(). What several taps of an enlarged input read from one
// pixel is added up.
std::vector<std::uint16_t> pack_weights(const float* weights, ConvKind kind,
                                        const std::vector<int>& inputs, int out_channels,
                                        NumberType type);

}  // namespace unetseg::cuda
