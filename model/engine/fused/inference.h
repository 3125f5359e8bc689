// SPDX-License-Identifier: MIT
// One inference: its memory and its steps.
#pragma once

#include <memory>

#include "model/engine/fused/steps.h"

namespace unetseg::fused {

// Runs a network on one picture at a time. All memory is taken at the start.
class Inference {
 public:
  // For pools of up to `threads`. Throws Error(no_space).
  Inference(std::shared_ptr<const PackedNetwork> network, unsigned threads);
  Inference(const Inference&) = delete;
  Inference& operator=(const Inference&) = delete;

  // `frame` is borrowed. Same digits for every number of threads. Throws Error(bad_result).
  void run(const Frame& frame, ThreadPool& pool);

  // By the calling thread alone, with the same digits.
  void run_alone(const Frame& frame);

  Memory& memory() { return memory_; }

 private:
  const std::shared_ptr<const PackedNetwork> network_;
  Memory memory_;
  Frame frame_ = {};
  const std::vector<Stage> steps_;
};

}  // namespace unetseg::fused
