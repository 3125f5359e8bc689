// SPDX-License-Identifier: MIT
#include "trainer/train/step_timing.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace unetseg::trainer {

double seconds_of_gradient(BatchGradient* gradient, const std::vector<std::int64_t>& indices) {
  double best = std::numeric_limits<double>::infinity();
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto begin = std::chrono::steady_clock::now();
    gradient->compute(indices, 0, {});  // reads the loss, hence waits for the device
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    if (repeat > 0) best = std::min(best, passed.count());
  }
  return best;
}

MemoryFormatChoice choose_memory_format(const Config& config,
                                        const std::vector<ParameterLayout>& layout,
                                        const at::Tensor& values, const BatchMaker& batches,
                                        const std::vector<std::int64_t>& indices) {
  MemoryFormatChoice choice;
  const bool has_own_norm =
      config.architecture == "improved-unet" &&
      (values.is_cpu() || gpu::launcher_for(values.device()).kernels != nullptr);
  choice.name = has_own_norm ? "channels-last" : "contiguous";
  if (has_own_norm || values.is_cpu() || config.deterministic) return choice;
  const auto timed = [&](const char* format) {
    Config with_format = config;
    with_format.memory_format = format;
    BatchGradient gradient(with_format, layout, values, batches);
    return seconds_of_gradient(&gradient, indices);
  };
  choice.contiguous = timed("contiguous");
  choice.channels_last = timed("channels-last");
  if (choice.channels_last < choice.contiguous) choice.name = "channels-last";
  return choice;
}

}  // namespace unetseg::trainer
