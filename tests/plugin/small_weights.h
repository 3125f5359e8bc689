// SPDX-License-Identifier: MIT
// Valid weights of the smallest networks there are, with values that mean nothing. No LibTorch.
#pragma once

#include <string>
#include <vector>

#include "model/network/layout.h"
#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"

struct SmallWeights {
  explicit SmallWeights(const std::string& architecture = "improved-unet", int base_width = 2)
      : layout(unetseg::network_layout(architecture, base_width)) {
    card.architecture = architecture;
    card.base_width = base_width;
    card.input_width = card.input_height = 32;
    card.name = "small";
    std::uint32_t seed = 1;
    for (const unetseg::ParameterLayout& parameter : layout) {
      std::vector<float> values(static_cast<std::size_t>(unetseg::element_count(parameter)));
      for (float& value : values) {
        seed = seed * 1664525u + 1013904223u;
        value = static_cast<float>(seed >> 8) / (1 << 24) - 0.5f;
      }
      tensors.push_back(std::move(values));
    }
  }

  // After any change that a test has made. NaN is written too.
  void write(const std::string& path) const {
    std::vector<unetseg::TensorToWrite> all;
    for (std::size_t i = 0; i < layout.size(); ++i)
      all.push_back({layout[i].name, unetseg::DType::f32, layout[i].shape, tensors[i].data()});
    unetseg::write_safetensors(path, all, unetseg::to_metadata(card), false);
  }

  unetseg::ModelCard card;
  std::vector<unetseg::ParameterLayout> layout;
  std::vector<std::vector<float>> tensors;  // in the layout's order
};
