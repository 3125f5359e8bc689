// SPDX-License-Identifier: MIT
// The convolutions' blocks on a GPU.
#include <cuda_runtime.h>

#include "model/engine/cuda/conv/launching.h"
#include "model/engine/cuda/conv/machine_device.h"

namespace unetseg::cuda {
namespace {

constexpr int kOldestMajor = 8;   // that multiplies bf16, and copies to shared memory by itself
constexpr int kOverlapMajor = 9;  // that begins a kernel before the one before it has ended
constexpr int kSharedWithoutAsking = 48 << 10;

#if defined(__CUDA_ARCH__)
__device__ BlockPlace this_block() {
  return {static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z)};
}
#endif

template <typename T, int kMTiles, int kNTiles, int kKSplits>
__global__ void __launch_bounds__(kConvThreads) run_conv(const __grid_constant__ ConvJob job) {
#if __CUDA_ARCH__ >= 800
  extern __shared__ __align__(128) char memory[];
  const DeviceMachine machine;
  ConvBlock<T, kMTiles, kNTiles, kKSplits, DeviceMachine, DeviceMatrices>(job, this_block(), memory,
                                                                          machine)
      .run();
#endif
}

template <typename T>
__global__ void __launch_bounds__(kConvThreads) run_heads(const __grid_constant__ HeadsJob job) {
#if __CUDA_ARCH__ >= 800
  using Block = HeadsBlock<T, DeviceMachine>;
  __shared__ typename Block::Shared shared;
  const DeviceMachine machine;
  Block(job, this_block(), &shared, machine).run();
#endif
}

// 0 where there is no such device. A negative number is the current one.
int attribute(int device, cudaDeviceAttr which) {
  int value = 0;
  if ((device < 0 && cudaGetDevice(&device) != cudaSuccess) ||
      cudaDeviceGetAttribute(&value, which, device) != cudaSuccess)
    return 0;
  return value;
}

struct DeviceLauncher {
  template <typename Job>
  static int launch(void (*kernel)(Job), const BlockPlace& grid, int shared, const Job& job,
                    void* stream) {
    if (shared > kSharedWithoutAsking) {
      const cudaError_t error =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
      if (error != cudaSuccess) return error;
    }
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y),
                          static_cast<unsigned>(grid.z));
    config.blockDim = dim3(kConvThreads);
    config.dynamicSmemBytes = static_cast<std::size_t>(shared);
    config.stream = static_cast<cudaStream_t>(stream);
    cudaLaunchAttribute overlap = {};
    overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    overlap.val.programmaticStreamSerializationAllowed = 1;
    config.attrs = &overlap;
    config.numAttrs = attribute(-1, cudaDevAttrComputeCapabilityMajor) >= kOverlapMajor ? 1 : 0;
    const cudaError_t error = cudaLaunchKernelEx(&config, kernel, job);
    return error != cudaSuccess ? error : cudaGetLastError();
  }

  template <typename T, int kMTiles, int kNTiles, int kKSplits>
  static int conv(const ConvJob& job, void* stream) {
    return launch(run_conv<T, kMTiles, kNTiles, kKSplits>, grid_of(job.plan), job.plan.size, job,
                  stream);
  }

  template <typename T>
  static int heads(const HeadsJob& job, void* stream) {
    return launch(run_heads<T>, grid_of<T, DeviceMachine>(job), 0, job, stream);
  }
};

// The least of a few, as other work on the device only ever makes it longer.
double time_conv(const ConvJob& job, void* stream) {
  constexpr int kRuns = 4;
  const auto on = static_cast<cudaStream_t>(stream);
  cudaEvent_t events[kRuns + 1] = {};
  bool failed = false;
  for (cudaEvent_t& event : events) failed |= cudaEventCreate(&event) != cudaSuccess;
  for (int i = 0; i <= kRuns && !failed; ++i) {
    failed |= launch_conv<DeviceLauncher>(job, stream) != 0;
    failed |= cudaEventRecord(events[i], on) != cudaSuccess;
  }
  failed = failed || cudaEventSynchronize(events[kRuns]) != cudaSuccess;
  float least = -1;
  for (int i = 0; i < kRuns && !failed; ++i) {
    float milliseconds = 0;
    failed |= cudaEventElapsedTime(&milliseconds, events[i], events[i + 1]) != cudaSuccess;
    if (least < 0 || milliseconds < least) least = milliseconds;
  }
  for (const cudaEvent_t event : events)
    if (event != nullptr) cudaEventDestroy(event);
  return failed ? -1 : 1e3 * least;
}

bool limits_of_device(int device, ConvLimits* limits) {
  if (attribute(device, cudaDevAttrComputeCapabilityMajor) < kOldestMajor) return false;
  *limits = {attribute(device, cudaDevAttrMultiProcessorCount),
             attribute(device, cudaDevAttrMaxSharedMemoryPerBlockOptin)};
  return true;
}

}  // namespace

const ConvKernels* device_conv_kernels() {
  static constexpr ConvKernels kTable = {limits_of_device, launch_conv<DeviceLauncher>,
                                         launch_heads<DeviceLauncher>, time_conv};
  return &kTable;
}

}  // namespace unetseg::cuda
