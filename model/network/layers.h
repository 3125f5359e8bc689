// SPDX-License-Identifier: MIT
// The few layers both architectures are made of.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "model/network/network.h"

namespace unetseg::layers {

constexpr double kNormEpsilon = 1e-5;
constexpr double kLeakySlope = 0.01;

// "Same" convolution of odd kernel size; `bias` may be undefined.
inline at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           int stride) {
  const auto type = x.scalar_type();
  return at::conv2d(x, weight.to(type), bias.defined() ? bias.to(type) : bias, stride,
                    weight.size(2) / 2);
}

// InstanceNorm without running statistics, as group normalisation with one channel a group: the
// same values, and on CPUs LibTorch's group normalisation is faster in both directions.
inline at::Tensor instance_norm(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias) {
  const auto type = x.scalar_type();
  // Statistics of halves, whose squares overflow, are taken in float32.
  if (type == at::kHalf) return instance_norm(x.to(at::kFloat), weight, bias).to(type);
  return at::group_norm(x, x.size(1), weight.defined() ? weight.to(type) : weight,
                        bias.defined() ? bias.to(type) : bias, kNormEpsilon);
}

inline at::Tensor activate(const at::Tensor& x) {
  return at::leaky_relu(x, kLeakySlope);
}

inline at::Tensor upsample(const at::Tensor& x) {
  return at::upsample_nearest2d(x, {x.size(2) * 2, x.size(3) * 2});
}

// Each channel of each image by its factor; `factors`: N x C.
inline at::Tensor scale_channels(const at::Tensor& x, const at::Tensor& factors) {
  return x * factors.to(x.scalar_type()).view({x.size(0), x.size(1), 1, 1});
}

inline at::Tensor drop_channels(const at::Tensor& x, const DropoutMasks& masks, int level) {
  return masks.empty() ? x : scale_channels(x, masks[static_cast<std::size_t>(level)]);
}

struct Conv {
  at::Tensor weight, bias;
  at::Tensor operator()(const at::Tensor& x, int stride = 1) const {
    return convolve(x, weight, bias, stride);
  }
};

inline Conv conv(const Parameters& parameters, const std::string& name) {
  const auto bias = parameters.find(name + ".bias");
  return {parameters.at(name + ".weight"), bias == parameters.end() ? at::Tensor() : bias->second};
}

}  // namespace unetseg::layers
