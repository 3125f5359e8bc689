// SPDX-License-Identifier: MIT
// The kernels' blocks on a GPU.
#include "model/engine/cuda/device_launcher.cuh"
#include "model/engine/cuda/launching.h"

namespace unetseg::cuda {

const Kernels* device_kernels() {
  static constexpr Kernels kTable = kernels_of<DeviceLauncher>();
  return &kTable;
}

}  // namespace unetseg::cuda
