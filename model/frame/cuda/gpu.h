// SPDX-License-Identifier: MIT
// What sampling and drawing need of a GPU: memory, order, and their kernels.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "model/frame/cuda/drawing.h"
#include "model/frame/cuda/sampling.h"

namespace unetseg {

// A point in a stream. Any thread.
class GpuEvent {
 public:
  // Waits as wait() does, whatever comes of it: what the work before it uses may then be freed.
  virtual ~GpuEvent() = default;
  // Moves to the end of what is in the stream so far.
  virtual void record(void* stream) = 0;
  // Returns when the work before it is done; at once where nothing was recorded.
  virtual void wait() = 0;
  // The CUevent, for whoever puts work into a stream of his own after it. Lives as long as this.
  virtual void* handle() const = 0;
};

// A stream is a CUstream; NULL is the default one. What is put into a stream runs in that order,
// after the call returns. Any thread. Throws Error(no_space) where memory is not to be had,
// Error(failed) where the GPU or its driver fails.
class Gpu {
 public:
  virtual ~Gpu() = default;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void free(void* memory) noexcept = 0;
  // Memory of the processor's that the copies below need.
  virtual void* allocate_host(std::size_t bytes) = 0;
  virtual void free_host(void* memory) noexcept = 0;
  virtual std::unique_ptr<GpuEvent> make_event() = 0;
  // A stream for work that belongs to no frame. It does not wait for the default one.
  virtual void* own_stream() = 0;

  virtual void upload(void* to, const void* from_host, std::size_t bytes, void* stream) = 0;
  virtual void download(void* to_host, const void* from, std::size_t bytes, void* stream) = 0;
  virtual void run(const SamplingJob& job, void* stream) = 0;
  virtual void run(const OverlayJob& job, void* stream) = 0;
  virtual void run(const ValuesJob& job, void* stream) = 0;
};

// `device` is "cuda:N", or "cuda" for the first. Throws as Gpu does, and Error(settings) in a build
// without kernels.
std::unique_ptr<Gpu> make_gpu(const std::string& device);

}  // namespace unetseg
