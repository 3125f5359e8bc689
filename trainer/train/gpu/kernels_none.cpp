// SPDX-License-Identifier: MIT
// In place of kernels_device.cu where there is no nvcc.
#include "trainer/train/gpu/kernels.h"

namespace unetseg::trainer::gpu {

const Kernels* device_kernels() {
  return nullptr;
}

}  // namespace unetseg::trainer::gpu
