// SPDX-License-Identifier: MIT
// A model on a pool of threads, with the memory of one inference: what sessions of one model share.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "model/engine/fused/fused_model.h"
#include "model/engine/fused/inference.h"

namespace unetseg::fused {

// Sessions take turns, as they would for the cores; so they need memory for one inference only.
class Runner {
 public:
  // `model` must have a network. Throws Error(no_space).
  Runner(std::shared_ptr<const FusedModel> model, unsigned threads);

  // That of the process for this model and number of threads; ends with the last that holds it.
  static std::shared_ptr<Runner> shared(std::shared_ptr<const FusedModel> model, unsigned threads);

  const FusedModel& model() const { return *model_; }

  // As Engine::run(), from any thread. One picture is divided among the threads; of many, each
  // thread takes whole ones, and none waits for another. The digits are the same either way.
  void run(const float* const* inputs, float* const* probabilities, int n);

 private:
  void run_side_by_side(int n);

  const std::shared_ptr<const FusedModel> model_;
  const std::shared_ptr<ThreadPool> pool_;

  std::mutex turn_;  // guards what follows; the pool's own is taken under it
  Inference inference_;
  // For many pictures, made when they first come: one inference a thread.
  std::vector<std::unique_ptr<Inference>> alone_;
  std::vector<Stage> pictures_;
  const float* const* inputs_ = nullptr;
  float* const* probabilities_ = nullptr;
};

}  // namespace unetseg::fused
