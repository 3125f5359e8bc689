// SPDX-License-Identifier: MIT
// An inference as stages for a pool of threads.
#pragma once

#include <vector>

#include "model/engine/fused/memory.h"
#include "model/engine/fused/thread_pool.h"

namespace unetseg::fused {

// What an inference reads and writes; both are borrowed while it runs.
struct Frame {
  const float* picture;  // 3 x height x width, normalised
  float* probabilities;  // height x width
};

// The stages refer to all three arguments. Their last one throws Error(bad_result) where a logit is
// not finite.
std::vector<Stage> make_steps(const PackedNetwork& network, const Memory& memory,
                              const Frame& frame);

}  // namespace unetseg::fused
