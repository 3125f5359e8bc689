// SPDX-License-Identifier: MIT
// The kernels' blocks on a GPU.
#include <cuda_runtime.h>

#include "model/engine/cuda/launching.h"

namespace unetseg::cuda {
namespace {

struct EachThread {
  template <typename Step>
  UNETSEG_ON_BOTH void operator()(Step step) const {
#if defined(__CUDA_ARCH__)
    step(static_cast<int>(threadIdx.x));
    __syncthreads();
#endif
  }
};

template <typename Block>
__global__ void __launch_bounds__(kThreads)
    run_block(const __grid_constant__ typename Block::Job job) {
  __shared__ typename Block::Shared shared;
  const Grid place = {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
                      static_cast<int>(blockIdx.z)};
  Block(job, place, &shared).run(EachThread());
}

struct DeviceLauncher {
  template <typename Block>
  static int launch(const typename Block::Job& job, void* stream) {
    const Grid grid = Block::grid(job);
    run_block<Block>
        <<<dim3(grid.x, grid.y, grid.z), kThreads, 0, static_cast<cudaStream_t>(stream)>>>(job);
    return cudaGetLastError();
  }
};

}  // namespace

const Kernels* device_kernels() {
  static constexpr Kernels kTable = kernels_of<DeviceLauncher>();
  return &kTable;
}

}  // namespace unetseg::cuda
