// SPDX-License-Identifier: MIT
// Small tensors on their way to a device and back, without waiting for it.
#pragma once

#include <ATen/ATen.h>

namespace unetseg::trainer::gpu {

// On the CPU, to be filled there: where `device` is a GPU, in memory that it can copy from by
// itself.
inline at::Tensor staging(at::IntArrayRef sizes, at::ScalarType type, const at::Device& device) {
  return at::empty(sizes, at::TensorOptions().dtype(type).pinned_memory(device.is_cuda()));
}

// A copy on `device` of what staging() gave; LibTorch keeps that memory until it has been copied.
// On the CPU the tensor itself.
inline at::Tensor sent(const at::Tensor& staged, const at::Device& device) {
  return staged.to(device, /*non_blocking=*/true);
}

}  // namespace unetseg::trainer::gpu
