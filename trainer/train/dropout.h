// SPDX-License-Identifier: MIT
// The channels that a training step leaves out.
#pragma once

#include <cstdint>

#include "model/network/network.h"
#include "trainer/train/config.h"

namespace unetseg::trainer {

// One mask per level of the encoder, samples x channels, on the CPU: 0 with the probability
// config.dropout, else 1 / (1 - config.dropout). A function of the seed and the step alone. Empty
// where there is no dropout.
DropoutMasks dropout_masks(const Config& config, std::int64_t step, std::int64_t samples);

}  // namespace unetseg::trainer
