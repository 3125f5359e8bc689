// SPDX-License-Identifier: MIT
// The kernels' blocks one after the other, each thread's step one after the other.
#include "model/engine/cuda/host_launcher.h"
#include "trainer/train/gpu/launching.h"

namespace unetseg::trainer::gpu {

const Kernels& host_kernels() {
  static constexpr Kernels kTable = kernels_of<cuda::HostLauncher>();
  return kTable;
}

}  // namespace unetseg::trainer::gpu
