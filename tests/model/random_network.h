// SPDX-License-Identifier: MIT
// An improved U-Net of random weights, and what LibTorch makes of it.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <cstdint>

#include "model/network/network.h"

struct RandomNetwork {
  RandomNetwork(int width, std::uint64_t seed) : base_width(width) {
    at::set_num_threads(1);
    at::manual_seed(seed);
    for (const unetseg::ParameterLayout& layout : unetseg::network_layout("improved-unet", width)) {
      at::Tensor value = at::randn(layout.shape, at::kFloat);
      switch (layout.role) {
        case unetseg::ParameterRole::conv_weight:
          value = value * std::sqrt(2.0 / static_cast<double>(layout.fan_in));
          break;
        case unetseg::ParameterRole::norm_weight:
          value = 1 + 0.3 * value;
          break;
        default:
          value = 0.3 * value;
      }
      parameters[layout.name] = value.contiguous();
    }
  }

  // Of n pictures, n x height x width.
  at::Tensor probabilities(const at::Tensor& pictures, at::ScalarType type) const {
    unetseg::Parameters converted;
    for (const auto& parameter : parameters) converted[parameter.first] = parameter.second.to(type);
    const auto network = unetseg::make_network("improved-unet", base_width, converted);
    return at::sigmoid(network->forward(pictures.to(type)).full).to(at::kDouble).squeeze(1);
  }

  int base_width;
  unetseg::Parameters parameters;
};
