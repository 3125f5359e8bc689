// SPDX-License-Identifier: MIT
// How long a step takes here, before any is taken.
#pragma once

#include "trainer/train/batch_gradient.h"

namespace unetseg::trainer {

// Seconds for the gradient of a batch: the faster of two, after one that fills caches.
double seconds_of_gradient(BatchGradient* gradient, const std::vector<std::int64_t>& indices);

struct MemoryFormatChoice {
  std::string name;                          // "contiguous" or "channels-last"
  double contiguous = 0, channels_last = 0;  // seconds of a batch's gradient; 0: not timed
};

// The memory format to train in. On a GPU the faster one, timed, unless the run is to be
// deterministic. On a CPU always contiguous: there channels-last gained nothing in LibTorch 1.13's
// float32, and a stopwatch must not decide over the digits of a repeatable run.
MemoryFormatChoice choose_memory_format(const Config& config,
                                        const std::vector<ParameterLayout>& layout,
                                        const at::Tensor& values, const BatchMaker& batches,
                                        const std::vector<std::int64_t>& indices);

}  // namespace unetseg::trainer
