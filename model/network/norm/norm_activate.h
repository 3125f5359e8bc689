// SPDX-License-Identifier: MIT
// InstanceNorm and LeakyReLU as one operation with a gradient of its own, for tensors that lie
// channels-last in the CPU's memory: there LibTorch's normalisation costs as much as a convolution.
#pragma once

#include <ATen/ATen.h>

namespace unetseg {

// Whether norm_activate() takes them: `x` N x C x H x W on the CPU, channels-last, float32 or
// bfloat16; `weight` in float32.
bool can_norm_activate(const at::Tensor& x, const at::Tensor& weight);

// LeakyReLU(InstanceNorm(x)) without running statistics. `weight`, `bias`: C each, float32. Any
// thread; uses those of at::parallel_for. Same numbers for any number of threads.
at::Tensor norm_activate(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         double epsilon, double slope);

}  // namespace unetseg
