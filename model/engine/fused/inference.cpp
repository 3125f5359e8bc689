// SPDX-License-Identifier: MIT
#include "model/engine/fused/inference.h"

namespace unetseg::fused {

Inference::Inference(std::shared_ptr<const PackedNetwork> network, unsigned threads)
    : network_(std::move(network)),
      memory_(*network_, threads),
      steps_(make_steps(*network_, memory_, frame_)) {}

void Inference::run(const Frame& frame, ThreadPool& pool) {
  frame_ = frame;
  pool.run(steps_);
}

void Inference::run_alone(const Frame& frame) {
  frame_ = frame;
  for (const Stage& step : steps_) {
    for (int chunk = 0; chunk < step.chunks; ++chunk) step.work(chunk, 0);
    if (step.finish) step.finish();
  }
}

}  // namespace unetseg::fused
