// SPDX-License-Identifier: MIT
// An engine around any network on a CUDA device: staging, a stream, graphs, and what becomes of the
// device's faults.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>
#include <string>

#include "model/engine/engine.h"

namespace unetseg::cuda {

// From n x 3 x height x width float32 on the device to n x height x width probabilities likewise,
// or n x 1 x height x width. Always does the same with as many pictures; queues all its work in
// LibTorch's current stream, which it gets as a cudaStream_t too, and waits for nothing.
using Forward = std::function<at::Tensor(const at::Tensor& pictures, void* stream)>;

struct DeviceNetwork {
  std::string engine_name;
  ModelCard card;
  at::Device device;
  at::ScalarType type;
  Forward forward;
};

// Loads a network and puts it behind an engine that has tried it with one picture. Errors of the
// device become Error(no_space) and Error(device_lost). Null, and nothing is loaded, in a build
// without CUDA's headers.
std::unique_ptr<Engine> make_device_engine(const at::Device& device,
                                           const std::function<DeviceNetwork()>& load);

}  // namespace unetseg::cuda
