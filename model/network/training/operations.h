// SPDX-License-Identifier: MIT
// Operations with gradients of their own on a GPU: one or two kernels where LibTorch has ten, and
// no change of the memory format.
#pragma once

#include "model/network/training/launcher.h"

namespace unetseg::training {

// Whether the operations take `x`: N x C x H x W, channels-last, float32 or bfloat16, on a device
// that has kernels. Null, or what to give to them.
const Launcher* launcher_of(const at::Tensor& x);

struct NormOptions {
  double epsilon, slope;
  at::Tensor factors;  // N x C, float32; undefined: 1
  at::Tensor added;    // like x; undefined: 0
};

// added + factors * LeakyReLU(InstanceNorm(x)) without running statistics. `weight`, `bias`: C
// each, float32. Any thread, also in backward.
at::Tensor norm_activate(const Launcher& launcher, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& bias, const NormOptions& options);

// 1x1 convolution to one channel, N x 1 x H x W in float32. `weight`: 1 x C x 1 x 1, `bias`: 1, of
// any floating type.
at::Tensor head(const Launcher& launcher, const at::Tensor& x, const at::Tensor& weight,
                const at::Tensor& bias);

}  // namespace unetseg::training
