// SPDX-License-Identifier: MIT
// A probability map that a test owns.
#pragma once

#include <cstdint>
#include <vector>

#include "model/mask/mask.h"

struct Map {
  int width, height;
  std::vector<float> values;
  unetseg::ProbabilityView view() const { return {values.data(), width, height}; }
};

// Saddles, single pixels, edges and corners: it has them all.
inline Map noise(int width, int height, std::uint32_t seed) {
  Map map{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    seed = seed * 1664525u + 1013904223u;
    map.values.push_back(static_cast<float>(seed >> 8) / (1 << 24));
  }
  return map;
}
