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

std::string choose_memory_format(const Config& config, const std::vector<ParameterLayout>& layout,
                                 const at::Tensor& values, const BatchMaker& batches,
                                 const std::vector<std::int64_t>& indices) {
  if (values.is_cpu() || config.deterministic) return "contiguous";
  double seconds[2];
  const char* const formats[] = {"contiguous", "channels-last"};
  for (int i = 0; i < 2; ++i) {
    Config timed = config;
    timed.memory_format = formats[i];
    BatchGradient gradient(timed, layout, values, batches);
    seconds[i] = seconds_of_gradient(&gradient, indices);
  }
  return formats[seconds[1] < seconds[0]];
}

}  // namespace unetseg::trainer
