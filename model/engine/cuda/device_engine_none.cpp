// SPDX-License-Identifier: MIT
// In place of device_engine.cpp where CUDA's headers are missing.
#include "model/engine/cuda/device_engine.h"

namespace unetseg::cuda {

std::unique_ptr<Engine> make_device_engine(const at::Device&,
                                           const std::function<DeviceNetwork()>&) {
  return nullptr;
}

}  // namespace unetseg::cuda
