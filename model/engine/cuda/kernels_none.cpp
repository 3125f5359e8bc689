// SPDX-License-Identifier: MIT
// In place of kernels_device.cu where there is no nvcc.
#include "model/engine/cuda/kernels.h"

namespace unetseg::cuda {

const Kernels* device_kernels() {
  return nullptr;
}

}  // namespace unetseg::cuda
