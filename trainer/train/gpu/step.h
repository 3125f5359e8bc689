// SPDX-License-Identifier: MIT
// Whole training steps on a GPU, put into its stream one after the other: what came of one is read
// while later ones are under way, so that the device never waits for the host.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "trainer/train/batch_gradient.h"
#include "trainer/train/gpu/gradient.h"
#include "trainer/train/gpu/queue.h"
#include "trainer/train/optimizer.h"

namespace unetseg::trainer::gpu {

// The rule that `config` names with its numbers, and nothing to work on.
OptimizerJob optimizer_job(const Config& config);

class Step {
 public:
  // Steps under way at most: enough for the host to prepare the next batches meanwhile.
  static constexpr std::size_t kAhead = 4;

  struct Result {
    double loss, norm;
    bool taken;  // false: something was not finite, and nothing has changed
  };
  struct Tensors {
    at::Tensor values, average, decay_mask;  // flat, float32, borrowed memory
  };

  // `gradient` and `optimizer` are borrowed; the latter's moments are updated in place, its count
  // of steps when a result is read. Steps continue from it.
  Step(const Config& config, const Tensors& tensors, Gradient* gradient, Optimizer* optimizer,
       const Launcher& launcher);

  // `average_weight`: of the new values in their average. At most kAhead may be unread.
  void submit(const Batch& batch, const DropoutMasks& dropout, double learning_rate,
              double average_weight);
  std::size_t unread() const { return submitted_ - read_; }
  // For the oldest step that is unread.
  void wait();
  // What came of it, when that is known.
  Result read();

  // What there is to say about captured steps, once; empty: nothing.
  std::string take_notice();

 private:
  void compute_gradient();
  void try_capture();
  OptimizerJob job() const;

  const Config config_;
  const Tensors tensors_;
  Gradient& gradient_;
  Optimizer& optimizer_;
  const Launcher launcher_;
  at::Tensor numbers_, state_, parts_;  // StepNumbers, StepState and sums, in float64
  std::array<at::Tensor, kAhead> results_;
  std::array<std::unique_ptr<Mark>, kAhead> marks_;
  std::size_t submitted_ = 0, read_ = 0;
  int whole_batches_ = 0;
  std::unique_ptr<CapturedWork> captured_;
  std::string notice_;
};

}  // namespace unetseg::trainer::gpu
