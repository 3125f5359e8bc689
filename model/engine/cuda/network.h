// SPDX-License-Identifier: MIT
// The improved U-Net with LibTorch's convolutions and the kernels of kernels.h around them.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <vector>

#include "model/engine/cuda/kernels.h"
#include "model/engine/cuda/plan.h"
#include "model/network/network.h"

namespace unetseg::cuda {

// Weights in the order in which convolutions on `device` read them. Any number of threads.
class FusedNetwork {
 public:
  // `parameters`: float32 on the CPU, of the graph's names and shapes. `type`: fp32, bf16 or fp16,
  // what is stored and multiplied; all else is float32.
  FusedNetwork(const NetworkGraph& graph, const Parameters& parameters, int height, int width,
               const at::Device& device, at::ScalarType type);

  // `pictures`: n x 3 x height x width float32, planar, on the device. Returns probabilities, n x
  // height x width float32; NaN where a logit is not finite. All work goes into LibTorch's current
  // stream, which `stream` is. Throws LaunchError, and what LibTorch throws.
  at::Tensor forward(const at::Tensor& pictures, const Kernels& kernels, void* stream) const;

 private:
  struct Layer {
    at::Tensor weight, gamma, beta;
  };
  struct Head {
    at::Tensor weight;
    float bias;
  };
  friend class Inference;

  const Plan plan_;
  const at::ScalarType type_;
  std::vector<Layer> layers_;
  std::array<Head, 3> heads_;
};

}  // namespace unetseg::cuda
