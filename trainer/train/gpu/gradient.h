// SPDX-License-Identifier: MIT
// The loss of a batch and its gradient on a GPU, for improved-unet: put into the stream without
// waiting for anything, in memory at fixed addresses.
#pragma once

#include <memory>
#include <vector>

#include "model/network/training/launcher.h"
#include "model/network/network.h"
#include "trainer/train/augment.h"
#include "trainer/train/config.h"
#include "trainer/train/gpu/kernels.h"

namespace unetseg::trainer::gpu {

struct Launcher {
  const Kernels* kernels;
  const unetseg::training::Launcher* network;
};

// What there is for `device`; `kernels` is null where there is nothing.
Launcher launcher_for(const at::Device& device);

// Convolutions read their weights in a type and an order of their own: all of them are written so
// by one kernel at the start of each batch, and their gradients are brought back by one at its end.
class Gradient {
 public:
  // `values` and `gradient`: flat, float32; borrowed memory.
  Gradient(const Config& config, const std::vector<ParameterLayout>& layout,
           const at::Tensor& values, const at::Tensor& gradient, const Launcher& launcher);

  // Copies a batch of up to `config.batch_size` samples to where compute() reads it. `dropout`: on
  // the CPU, empty for none.
  void load(const Batch& batch, const DropoutMasks& dropout);

  // Of the batch that was loaded: the gradient, and the loss in loss().
  void compute();
  const at::Tensor& loss() const { return loss_; }  // one number, float32
  const at::Tensor& gradient() const { return gradient_; }
  std::int64_t samples() const { return samples_; }

 private:
  // Parameters in an order of their own, with their gradients.
  struct Group {
    at::ScalarType type = at::kFloat;
    at::Tensor order;  // int32, of the flat buffer
    at::Tensor values, gradient;
    std::vector<at::Tensor> leaves;
  };
  Group convolutions(const std::vector<ParameterLayout>& layout, Parameters* parameters) const;
  Group others(const std::vector<ParameterLayout>& layout, Parameters* parameters) const;
  MirrorJob mirror_job(const Group& group, const at::Tensor& flat, const at::Tensor& mirror) const;
  DropoutMasks dropout() const;

  const Config config_;
  const Launcher launcher_;
  const at::Tensor values_, gradient_;
  Group convolutions_, others_;
  std::unique_ptr<Network> network_;
  at::Tensor images_, target_, factors_, loss_;
  std::int64_t samples_ = 0;
};

}  // namespace unetseg::trainer::gpu
