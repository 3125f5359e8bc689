// SPDX-License-Identifier: MIT
// All parameters of a network in one flat buffer, so that optimizer, averaging, clipping and
// checkpoint are one operation each.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "model/network/network.h"

namespace unetseg::trainer {

// Views into `flat` (1-D) in the layout's order; they share its memory.
Parameters views_of(const at::Tensor& flat, const std::vector<ParameterLayout>& layout);

// Leaf tensors over `values` whose gradients accumulate into `gradients`; both 1-D, float, of the
// layout's total size.
Parameters trainable_views(const at::Tensor& values, const at::Tensor& gradients,
                           const std::vector<ParameterLayout>& layout);

std::int64_t total_elements(const std::vector<ParameterLayout>& layout);

// 1 for weights of convolutions, 0 for everything that weight decay leaves alone.
at::Tensor decay_mask(const std::vector<ParameterLayout>& layout);

// Initial values on the CPU. improved-unet: He's normal distribution for LeakyReLU, norms 1 and 0;
// seed-unet: PyTorch's default for convolutions, uniform within 1 / sqrt(fan in), biases included.
at::Tensor initial_values(const std::string& architecture,
                          const std::vector<ParameterLayout>& layout, std::uint64_t seed);

}  // namespace unetseg::trainer
