// SPDX-License-Identifier: MIT
// The parameters of each architecture: names, shapes and order, as data. Needs no LibTorch.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace unetseg {

// Levels of both architectures: the deepest one works at 1/16 of the input.
constexpr int kLevels = 5;

enum class ParameterRole { conv_weight, conv_bias, norm_weight, norm_bias };

struct ParameterLayout {
  std::string name;                 // "encoder.0.down.conv.weight"
  std::vector<std::int64_t> shape;  // convolutions: out, in, height, width
  ParameterRole role;
  std::int64_t fan_in;  // inputs that one output of its convolution sums
};

// All parameters in the order of their use. `architecture` is "improved-unet" or "seed-unet",
// `base_width` the channels of the first level, 1 to 256. Throws Error(settings) otherwise.
std::vector<ParameterLayout> network_layout(const std::string& architecture, int base_width);

// Throws Error(settings) listing the first five differences where names or shapes are not those of
// network_layout().
void require_layout(const std::string& architecture, int base_width,
                    const std::map<std::string, std::vector<std::int64_t>>& shapes);

std::int64_t element_count(const ParameterLayout& parameter);

}  // namespace unetseg
