// SPDX-License-Identifier: MIT
// Adam, AdamW and SGD over one flat buffer, gradient clipping, and the average of the weights.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "trainer/train/config.h"

namespace unetseg::trainer {

class Optimizer {
 public:
  // `decay_mask`: 1 where weight decay applies, same size and device as the values.
  explicit Optimizer(const at::Tensor& decay_mask);
  virtual ~Optimizer() = default;

  // One step on `values` (in place) by `gradients` (may be changed); all 1-D, the same size.
  virtual void step(const at::Tensor& values, const at::Tensor& gradients,
                    double learning_rate) = 0;

  // State that a checkpoint holds. SGD has no second moment: it stays 0.
  at::Tensor first_moment, second_moment;
  std::int64_t steps = 0;
  const at::Tensor& decay_mask() const { return decay_mask_; }

 protected:
  at::Tensor decay_mask_;
};

// Kingma and Ba 2015, and Loshchilov and Hutter 2019 (`decoupled`), with PyTorch's arithmetic:
// bias-corrected moments, epsilon added to the root of the corrected second moment.
class Adam : public Optimizer {
 public:
  struct Options {
    double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    double weight_decay = 0;
    bool decoupled = true;  // AdamW; otherwise the decay is added to the gradient
  };
  Adam(Options options, const at::Tensor& decay_mask);
  void step(const at::Tensor& values, const at::Tensor& gradients, double learning_rate) override;

 private:
  Options options_;
};

// Nesterov's momentum with PyTorch's arithmetic; the decay is added to the gradient.
class Sgd : public Optimizer {
 public:
  struct Options {
    double momentum = 0.99;  // as nnU-Net has it
    double weight_decay = 0;
  };
  Sgd(Options options, const at::Tensor& decay_mask);
  void step(const at::Tensor& values, const at::Tensor& gradients, double learning_rate) override;

 private:
  Options options_;
};

// The one that `config` names.
std::unique_ptr<Optimizer> make_optimizer(const Config& config, const at::Tensor& decay_mask);

// Scales `gradients` in place so that their L2 norm is at most `limit` (0: no limit). Returns the
// norm before; where it is not finite, the gradients are left alone.
double clip_norm(const at::Tensor& gradients, double limit);

// Decay of the weights' average at step `step` (from 0): short at first, then a fixed length of
// `share` of all steps.
double ema_decay(std::int64_t step, std::int64_t total_steps, double share);

}  // namespace unetseg::trainer
