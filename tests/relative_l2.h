// SPDX-License-Identifier: MIT
#pragma once

#include <ATen/ATen.h>

#include <algorithm>

// How far two tensors are apart: the norm of their difference, of the expected one's norm.
inline double relative_l2(const at::Tensor& value, const at::Tensor& expected) {
  const at::Tensor a = value.detach().to(at::kDouble), b = expected.to(at::kDouble);
  return (a - b).norm().item<double>() / std::max(1e-300, b.norm().item<double>());
}
