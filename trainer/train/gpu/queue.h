// SPDX-License-Identifier: MIT
// LibTorch's current stream of a device: how far it is, and work that is captured once and put into
// it again and again. On a CPU, whose work is done when it has been called, the same without
// effect.
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <memory>

namespace unetseg::trainer::gpu {

// A place in the stream.
class Mark {
 public:
  virtual ~Mark() = default;
  virtual void set() = 0;   // behind all work so far
  virtual void wait() = 0;  // until what is before it is done
};
std::unique_ptr<Mark> make_mark(const at::Device& device);

class CapturedWork {
 public:
  virtual ~CapturedWork() = default;
  virtual void replay() = 0;
};
// Calls `work` once beforehand and once to capture it, as a CUDA graph: it must use memory at the
// same addresses each time, and wait for nothing. Throws where it cannot be captured.
std::unique_ptr<CapturedWork> capture(const at::Device& device, const std::function<void()>& work);

}  // namespace unetseg::trainer::gpu
