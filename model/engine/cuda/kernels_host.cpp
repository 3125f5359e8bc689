// SPDX-License-Identifier: MIT
// The kernels' blocks on the CPU.
#include "model/engine/cuda/host_launcher.h"
#include "model/engine/cuda/launching.h"

namespace unetseg::cuda {

const Kernels& host_kernels() {
  static constexpr Kernels kTable = kernels_of<HostLauncher>();
  return kTable;
}

}  // namespace unetseg::cuda
