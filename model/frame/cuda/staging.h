// SPDX-License-Identifier: MIT
// Memory on both sides of the bus, and when it may be used again.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>

#include "model/frame/cuda/gpu.h"

namespace unetseg {

// As many bytes in the processor's memory as in the GPU's, to be copied from one to the other. One
// thread at a time, but for wait() and host().
class Staging {
 public:
  explicit Staging(Gpu& gpu) : gpu_(gpu), used_(gpu.make_event()) {}
  ~Staging() {
    used_.reset();  // which waits
    release();
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // Room for so many bytes that nothing uses any more; waits for what did. Allocates only where it
  // has less.
  void reserve(std::size_t bytes) {
    used_->wait();
    if (bytes <= bytes_) return;
    release();
    device_ = gpu_.allocate(bytes);
    host_ = gpu_.allocate_host(bytes);
    bytes_ = bytes;
  }

  std::byte* host() const { return static_cast<std::byte*>(host_); }
  std::byte* device() const { return static_cast<std::byte*>(device_); }
  void upload(std::size_t bytes, void* stream) { gpu_.upload(device_, host_, bytes, stream); }
  void download(std::size_t bytes, void* stream) { gpu_.download(host_, device_, bytes, stream); }

  // Before a use of it is put into `stream`: uses in another are waited for, uploads among them.
  void order(void* stream) const {
    if (stream != stream_) used_->wait();
  }
  // After that.
  void in_use(void* stream) {
    stream_ = stream;
    used_->record(stream);
  }
  // Returns when all uses are over.
  void wait() const { used_->wait(); }
  // The CUevent that this waits for.
  void* used() const { return used_->handle(); }

 private:
  void release() noexcept {
    gpu_.free(device_);
    gpu_.free_host(host_);
    device_ = host_ = nullptr;
    bytes_ = 0;
  }

  Gpu& gpu_;
  std::unique_ptr<GpuEvent> used_;
  void* stream_ = nullptr;  // of the use that was the last
  void *device_ = nullptr, *host_ = nullptr;
  std::size_t bytes_ = 0;
};

// Hands out parts of a Staging one after another, each aligned for any type.
class Parts {
 public:
  template <typename T>
  std::size_t add(std::size_t count) {
    const std::size_t at = bytes_;
    constexpr std::size_t kAlignment = alignof(std::max_align_t);
    bytes_ += (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return at;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace unetseg
