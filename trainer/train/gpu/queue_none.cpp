// SPDX-License-Identifier: MIT
// In place of queue.cpp in a build without the CUDA runtime's headers.
#include "trainer/train/gpu/queue_host.h"

namespace unetseg::trainer::gpu {

std::unique_ptr<Mark> make_mark(const at::Device&) {
  return std::make_unique<HostMark>();
}

std::unique_ptr<CapturedWork> capture(const at::Device&, const std::function<void()>& work) {
  return std::make_unique<HostWork>(work);
}

}  // namespace unetseg::trainer::gpu
