// SPDX-License-Identifier: MIT
// Which shapes blocks are compiled for, and how a convolution is cut into them.
#pragma once

#include <optional>
#include <vector>

#include "model/engine/cuda/conv/jobs.h"

// X(pixels / 16, channels / 8, warps that share a tile)
#define UNETSEG_CONV_SHAPES(X)                                                             \
  X(1, 1, 8)                                                                               \
  X(1, 2, 8)                                                                               \
  X(2, 1, 4)                                                                               \
  X(2, 2, 4) X(2, 4, 4) X(4, 2, 2) X(4, 4, 2) X(8, 2, 1) X(8, 4, 1) X(8, 8, 2) X(16, 2, 1) \
      X(16, 4, 2)

namespace unetseg::cuda {

// Every way to do it that fits into shared memory.
std::vector<ConvPlan> possible_plans(const ConvLimits& limits, const ConvForm& form);

// The one that should take least time on such a device, by an estimate; none where nothing fits.
std::optional<ConvPlan> plan_conv(const ConvLimits& limits, const ConvForm& form);

}  // namespace unetseg::cuda
