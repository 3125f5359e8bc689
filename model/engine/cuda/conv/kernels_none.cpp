// SPDX-License-Identifier: MIT
#include "model/engine/cuda/conv/jobs.h"

namespace unetseg::cuda {

const ConvKernels* device_conv_kernels() {
  return nullptr;
}

}  // namespace unetseg::cuda
