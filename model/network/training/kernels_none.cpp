// SPDX-License-Identifier: MIT
// In place of kernels_device.cu where there is no nvcc.
#include "model/network/training/kernels.h"

namespace unetseg::training {

const Kernels* device_kernels() {
  return nullptr;
}

}  // namespace unetseg::training
