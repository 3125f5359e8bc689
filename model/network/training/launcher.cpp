// SPDX-License-Identifier: MIT
#include "model/network/training/launcher.h"

#include <atomic>

#include "model/engine/cuda/device_faults.h"
#include "model/network/training/stream.h"

namespace unetseg::training {
namespace {

std::atomic<const Launcher*> host{nullptr};

const Launcher kHost = {&host_kernels(), &cuda::host_kernels(), []() -> void* { return nullptr; }};

}  // namespace

const Launcher* launcher_for(const at::Device& device) {
  if (device.is_cpu()) return host;
  static const Launcher launcher = {device_kernels(), cuda::device_kernels(), current_stream};
  const bool complete = launcher.kernels && launcher.moments && has_streams();
  return device.is_cuda() && complete ? &launcher : nullptr;
}

HostLauncher::HostLauncher() {
  host = &kHost;
}

HostLauncher::~HostLauncher() {
  host = nullptr;
}

void require_launched(int code) {
  if (code != 0) throw cuda::LaunchError(code);
}

}  // namespace unetseg::training
