// SPDX-License-Identifier: MIT
// The kernels' blocks on a GPU.
#include "model/engine/cuda/device_launcher.cuh"
#include "trainer/train/gpu/launching.h"

namespace unetseg::trainer::gpu {

const Kernels* device_kernels() {
  static constexpr Kernels kTable = kernels_of<cuda::DeviceLauncher>();
  return &kTable;
}

}  // namespace unetseg::trainer::gpu
