// SPDX-License-Identifier: MIT
#include "trainer/train/gpu/queue.h"

#include <ATen/cuda/CUDAEvent.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>

#include "trainer/train/gpu/queue_host.h"

namespace unetseg::trainer::gpu {
namespace {

class DeviceMark final : public Mark {
 public:
  void set() override { event_.record(c10::cuda::getCurrentCUDAStream()); }
  void wait() override { event_.synchronize(); }

 private:
  at::cuda::CUDAEvent event_;
};

class Graph final : public CapturedWork {
 public:
  Graph(const at::Device& device, const std::function<void()>& work) {
    const c10::cuda::CUDAGuard current(device);
    c10::cuda::device_synchronize();
    {
      // The default stream cannot be captured.
      const c10::cuda::CUDAStreamGuard stream(
          c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device.index()));
      work();
      c10::cuda::device_synchronize();
      // Thread-local: autograd's own thread launches into the stream too, and may allocate.
      graph_.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
      try {
        work();
      } catch (...) {
        end_quietly();
        throw;
      }
      graph_.capture_end();
    }
    c10::cuda::device_synchronize();
  }

  void replay() override { graph_.replay(); }

 private:
  // Or the stream would go on capturing.
  void end_quietly() {
    try {
      graph_.capture_end();
    } catch (const std::exception&) {
      // What made the capture fail is the error to report.
    }
  }

  at::cuda::CUDAGraph graph_;
};

}  // namespace

std::unique_ptr<Mark> make_mark(const at::Device& device) {
  if (device.is_cuda()) return std::make_unique<DeviceMark>();
  return std::make_unique<HostMark>();
}

std::unique_ptr<CapturedWork> capture(const at::Device& device, const std::function<void()>& work) {
  if (device.is_cuda()) return std::make_unique<Graph>(device, work);
  return std::make_unique<HostWork>(work);
}

}  // namespace unetseg::trainer::gpu
