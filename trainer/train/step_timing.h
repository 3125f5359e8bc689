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

// The memory format to train in. On a GPU without kernels of our own the faster one, timed, unless
// the run is to be deterministic. Elsewhere a stopwatch must not decide over the digits of a
// repeatable run: channels-last for improved-unet, whose normalisation has an operation of its own
// there (images a
// second at 128x128 on 2 cores of a Xeon with AMX, contiguous and channels-last: in float32 10.4
// and 12.1 with LibTorch 1.13, 13.1 and 15.6 with 2.11; in bfloat16 23.0 and 31.7), and
// contiguous for seed-unet.
MemoryFormatChoice choose_memory_format(const Config& config,
                                        const std::vector<ParameterLayout>& layout,
                                        const at::Tensor& values, const BatchMaker& batches,
                                        const std::vector<std::int64_t>& indices);

}  // namespace unetseg::trainer
