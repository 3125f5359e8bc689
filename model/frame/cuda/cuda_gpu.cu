// SPDX-License-Identifier: MIT
// The kernels, and the CUDA runtime behind Gpu. No header here knows LibTorch or GLib: nvcc
// compiles this file alone.
#include <cuda_runtime.h>

#include <cstdlib>

#include "model/error.h"
#include "model/frame/cuda/gpu.h"

namespace unetseg {
namespace {

// The block that this thread is of.
struct Block {
  template <typename Step>
  __device__ void each(Step step) const {
    step(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};

__global__ void __launch_bounds__(kSamplingThreads)
    sampling_kernel(const __grid_constant__ SamplingJob job) {
  __shared__ SamplingScratch scratch;
  sample_block(job, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), Block(), scratch);
}

__global__ void __launch_bounds__(kDrawingThreads)
    overlay_kernel(const __grid_constant__ OverlayJob job) {
  __shared__ OverlayScratch scratch;
  const int strip = job.first_strip + static_cast<int>(blockIdx.y);
  overlay_block(job, static_cast<int>(blockIdx.x), strip, Block(), scratch);
}

constexpr int kValuesThreads = 128;

__global__ void __launch_bounds__(kValuesThreads)
    values_kernel(const __grid_constant__ ValuesJob job) {
  const int x = static_cast<int>(blockIdx.x * kValuesThreads + threadIdx.x);
  if (x < job.width) write_value(job, x, static_cast<int>(blockIdx.y));
}

dim3 grid(int across, int down) {
  return dim3(static_cast<unsigned>(across), static_cast<unsigned>(down));
}

void check(cudaError_t result, const char* call) {
  if (result == cudaSuccess) return;
  cudaGetLastError();  // or a failure that is over would be seen again
  const std::string detail = std::string(call) + ": " + cudaGetErrorString(result);
  if (result == cudaErrorMemoryAllocation)
    throw Error(Fault::no_space,
                "The GPU has not enough memory for a frame: use fewer or smaller streams, or close "
                "other programs that use it",
                detail);
  throw Error(Fault::failed, "The GPU has failed: restart the program, or set device=cpu", detail);
}

// The device's primary context is this thread's while the object lives.
class InContext {
 public:
  explicit InContext(int device) : device_(device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~InContext() {
    if (before_ != device_) cudaSetDevice(before_);
  }
  InContext(const InContext&) = delete;
  InContext& operator=(const InContext&) = delete;

 private:
  int device_, before_ = 0;
};

cudaStream_t stream_of(void* stream) {
  return static_cast<cudaStream_t>(stream);
}

class CudaEvent final : public GpuEvent {
 public:
  explicit CudaEvent(int device) : device_(device) {
    const InContext context(device_);
    // Waiting spins: it is over before an interrupt would be.
    check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "cudaEventCreate");
  }
  ~CudaEvent() override {
    cudaEventSynchronize(event_);
    cudaEventDestroy(event_);
  }
  void record(void* stream) override {
    const InContext context(device_);
    check(cudaEventRecord(event_, stream_of(stream)), "cudaEventRecord");
  }
  void wait() override { check(cudaEventSynchronize(event_), "cudaEventSynchronize"); }

 private:
  int device_;
  cudaEvent_t event_ = nullptr;
};

class CudaGpu final : public Gpu {
 public:
  explicit CudaGpu(int device) : device_(device) { const InContext context(device_); }

  void* allocate(std::size_t bytes) override {
    const InContext context(device_);
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "cudaMalloc");
    return memory;
  }
  void free(void* memory) noexcept override { cudaFree(memory); }
  void* allocate_host(std::size_t bytes) override {
    const InContext context(device_);
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
    return memory;
  }
  void free_host(void* memory) noexcept override { cudaFreeHost(memory); }
  std::unique_ptr<GpuEvent> make_event() override { return std::make_unique<CudaEvent>(device_); }

  void upload(void* to, const void* from_host, std::size_t bytes, void* stream) override {
    copy(to, from_host, bytes, cudaMemcpyHostToDevice, stream);
  }
  void download(void* to_host, const void* from, std::size_t bytes, void* stream) override {
    copy(to_host, from, bytes, cudaMemcpyDeviceToHost, stream);
  }
  void run(const SamplingJob& job, void* stream) override {
    const InContext context(device_);
    sampling_kernel<<<grid(job.blocks_across(), job.input_height), kSamplingThreads, 0,
                      stream_of(stream)>>>(job);
    check(cudaGetLastError(), "sampling_kernel");
  }
  void run(const OverlayJob& job, void* stream) override {
    const InContext context(device_);
    overlay_kernel<<<grid(job.tiles_across(), job.strip_count), kDrawingThreads, 0,
                     stream_of(stream)>>>(job);
    check(cudaGetLastError(), "overlay_kernel");
  }
  void run(const ValuesJob& job, void* stream) override {
    const InContext context(device_);
    values_kernel<<<grid((job.width + kValuesThreads - 1) / kValuesThreads, job.height),
                    kValuesThreads, 0, stream_of(stream)>>>(job);
    check(cudaGetLastError(), "values_kernel");
  }

 private:
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, void* stream) {
    const InContext context(device_);
    check(cudaMemcpyAsync(to, from, bytes, kind, stream_of(stream)), "cudaMemcpyAsync");
  }

  const int device_;
};

}  // namespace

std::unique_ptr<Gpu> make_gpu(const std::string& device) {
  const std::size_t colon = device.find(':');
  const int index = colon == std::string::npos ? 0 : std::atoi(device.c_str() + colon + 1);
  return std::make_unique<CudaGpu>(index);
}

}  // namespace unetseg
