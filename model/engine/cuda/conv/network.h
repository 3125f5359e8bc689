// SPDX-License-Identifier: MIT
// The improved U-Net with convolutions of our own.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "model/engine/cuda/conv/jobs.h"
#include "model/network/graph.h"
#include "model/network/network.h"

namespace unetseg::cuda {

// Weights as the kernels read them. Any number of threads.
class ConvNetwork {
 public:
  // As FusedNetwork's constructor; null where these kernels cannot run it: in float32, on an old
  // GPU, with channels that are no multiples of 8, or with more of them than shared memory holds.
  static std::unique_ptr<const ConvNetwork> make(const NetworkGraph& graph,
                                                 const Parameters& parameters, int height,
                                                 int width, const at::Device& device,
                                                 at::ScalarType type, const ConvKernels& kernels);

  // As FusedNetwork::forward().
  at::Tensor forward(const at::Tensor& pictures, void* stream) const;

 private:
  struct Layer {
    at::Tensor weights, gamma, beta;
    int last_reader;           // of its output; the number of nodes: a head
    double unit;               // of its statistics, a power of two near what values are usually
    std::int64_t sums_before;  // of all nodes before it, for one image
  };
  friend class ConvInference;

  ConvNetwork(const NetworkGraph& graph, const Parameters& parameters, int height, int width,
              const at::Device& device, at::ScalarType type, const ConvKernels& kernels,
              const ConvLimits& limits);

  const NetworkGraph graph_;
  const int height_, width_;
  const at::ScalarType type_;
  const ConvKernels& kernels_;
  const ConvLimits limits_;
  std::vector<Layer> layers_;
  std::int64_t all_sums_ = 0;  // channels of all nodes
  std::array<at::Tensor, 3> head_weights_;
  float head_bias_ = 0;

  // What find() gave for this node and so many images the first time.
  template <typename Find>
  ConvPlan plan_of(int images, int node, Find find) const;
  mutable std::mutex plans_lock_;
  mutable std::map<std::pair<int, int>, ConvPlan> plans_;
};

}  // namespace unetseg::cuda
