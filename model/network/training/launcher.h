// SPDX-License-Identifier: MIT
// Which kernels work on a tensor, and into which stream they are put.
#pragma once

#include <ATen/ATen.h>

#include "model/network/training/kernels.h"

namespace unetseg::training {

struct Launcher {
  const Kernels* kernels;
  const cuda::Kernels* moments;
  void* (*stream)();  // LibTorch's current one
};

// For tensors on `device`; null where there are no kernels for it. Any thread.
const Launcher* launcher_for(const at::Device& device);

// While it lives, the blocks in loops take the place of kernels for tensors on the CPU: for tests,
// one at a time.
class HostLauncher {
 public:
  HostLauncher();
  ~HostLauncher();
  HostLauncher(const HostLauncher&) = delete;
  HostLauncher& operator=(const HostLauncher&) = delete;
};

// Throws LaunchError where `code`, which a kernel returned, is not 0.
void require_launched(int code);

}  // namespace unetseg::training
