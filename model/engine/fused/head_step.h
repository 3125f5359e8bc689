// SPDX-License-Identifier: MIT
// From the last layers' outputs to probabilities.
#pragma once

#include "model/engine/fused/steps.h"

namespace unetseg::fused {

// Throws Error(bad_result) where a logit is not finite. Refers to its arguments.
Stage head_stage(const PackedNetwork& network, const Memory& memory, const Frame& frame);

}  // namespace unetseg::fused
