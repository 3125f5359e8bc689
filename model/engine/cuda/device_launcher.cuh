// SPDX-License-Identifier: MIT
// Launches blocks of threads (blocks.h) on a GPU.
#pragma once

#include <cuda_runtime.h>

#include "model/engine/cuda/block_parts.h"

namespace unetseg::cuda {

struct EachDeviceThread {
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
  Block(job, place, &shared).run(EachDeviceThread());
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

}  // namespace unetseg::cuda
