// SPDX-License-Identifier: MIT
// The kernels, and the CUDA runtime behind Gpu. No header here knows LibTorch or GLib: nvcc
// compiles this file alone.
#include <cuda_runtime.h>
#include <dlfcn.h>

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

// The driver's two functions that the runtime has no equal of: its own would make a context on the
// device that a thread without one goes back to. The runtime has loaded the library already.
struct CurrentContext {
  using Get = int (*)(void** context);
  using Set = int (*)(void* context);

  CurrentContext() {
    void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
    if (driver == nullptr) return;
    get = reinterpret_cast<Get>(dlsym(driver, "cuCtxGetCurrent"));
    set = reinterpret_cast<Set>(dlsym(driver, "cuCtxSetCurrent"));
  }
  Get get = nullptr;
  Set set = nullptr;
};

// The device's primary context is this thread's while the object lives, and then again what was.
class InContext {
 public:
  explicit InContext(int device) {
    if (driver().get != nullptr) saved_ = driver().get(&before_) == 0;
    result_ = cudaSetDevice(device);
  }
  ~InContext() {
    if (saved_ && driver().set != nullptr) driver().set(before_);
  }
  InContext(const InContext&) = delete;
  InContext& operator=(const InContext&) = delete;

  cudaError_t result() const { return result_; }

 private:
  static const CurrentContext& driver() {
    static const CurrentContext functions;
    return functions;
  }

  void* before_ = nullptr;
  bool saved_ = false;
  cudaError_t result_;
};

// One device's calls, from any thread.
class Caller {
 public:
  explicit Caller(int device) : device_(device) {}

  template <typename Call>
  void operator()(const char* name, Call call) const {
    const InContext context(device_);
    check(context.result(), "cudaSetDevice");
    check(call(), name);
  }
  // Whatever comes of it.
  template <typename Call>
  void attempt(Call call) const noexcept {
    const InContext context(device_);
    if (context.result() == cudaSuccess) call();
  }

 private:
  int device_;
};

cudaStream_t stream_of(void* stream) {
  return static_cast<cudaStream_t>(stream);
}

class CudaEvent final : public GpuEvent {
 public:
  explicit CudaEvent(const Caller& cuda) : cuda_(cuda) {
    // Waiting spins: it is over before an interrupt would be.
    cuda_("cudaEventCreate",
          [&] { return cudaEventCreateWithFlags(&event_, cudaEventDisableTiming); });
  }
  ~CudaEvent() override {
    cuda_.attempt([&] {
      cudaEventSynchronize(event_);
      cudaEventDestroy(event_);
    });
  }
  void record(void* stream) override {
    cuda_("cudaEventRecord", [&] { return cudaEventRecord(event_, stream_of(stream)); });
  }
  void wait() override {
    cuda_("cudaEventSynchronize", [&] { return cudaEventSynchronize(event_); });
  }
  void* handle() const override { return event_; }

 private:
  const Caller cuda_;
  cudaEvent_t event_ = nullptr;
};

class CudaGpu final : public Gpu {
 public:
  explicit CudaGpu(int device) : cuda_(device) {
    cuda_("cudaStreamCreate",
          [&] { return cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking); });
  }
  ~CudaGpu() override {
    cuda_.attempt([&] { cudaStreamDestroy(stream_); });
  }

  void* allocate(std::size_t bytes) override {
    void* memory = nullptr;
    cuda_("cudaMalloc", [&] { return cudaMalloc(&memory, bytes); });
    return memory;
  }
  void free(void* memory) noexcept override {
    cuda_.attempt([&] { cudaFree(memory); });
  }
  void* allocate_host(std::size_t bytes) override {
    void* memory = nullptr;
    cuda_("cudaMallocHost", [&] { return cudaMallocHost(&memory, bytes); });
    return memory;
  }
  void free_host(void* memory) noexcept override {
    cuda_.attempt([&] { cudaFreeHost(memory); });
  }
  std::unique_ptr<GpuEvent> make_event() override { return std::make_unique<CudaEvent>(cuda_); }
  void* own_stream() override { return stream_; }

  void upload(void* to, const void* from_host, std::size_t bytes, void* stream) override {
    copy(to, from_host, bytes, cudaMemcpyHostToDevice, stream);
  }
  void download(void* to_host, const void* from, std::size_t bytes, void* stream) override {
    copy(to_host, from, bytes, cudaMemcpyDeviceToHost, stream);
  }
  void run(const SamplingJob& job, void* stream) override {
    cuda_("sampling_kernel", [&] {
      sampling_kernel<<<grid(job.blocks_across(), job.input_height), kSamplingThreads, 0,
                        stream_of(stream)>>>(job);
      return cudaGetLastError();
    });
  }
  void run(const OverlayJob& job, void* stream) override {
    cuda_("overlay_kernel", [&] {
      overlay_kernel<<<grid(job.tiles_across(), job.strip_count), kDrawingThreads, 0,
                       stream_of(stream)>>>(job);
      return cudaGetLastError();
    });
  }
  void run(const ValuesJob& job, void* stream) override {
    cuda_("values_kernel", [&] {
      values_kernel<<<grid((job.width + kValuesThreads - 1) / kValuesThreads, job.height),
                      kValuesThreads, 0, stream_of(stream)>>>(job);
      return cudaGetLastError();
    });
  }

 private:
  void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, void* stream) {
    cuda_("cudaMemcpyAsync",
          [&] { return cudaMemcpyAsync(to, from, bytes, kind, stream_of(stream)); });
  }

  const Caller cuda_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace

std::unique_ptr<Gpu> make_gpu(const std::string& device) {
  const std::size_t colon = device.find(':');
  const int index = colon == std::string::npos ? 0 : std::atoi(device.c_str() + colon + 1);
  return std::make_unique<CudaGpu>(index);
}

}  // namespace unetseg
