// SPDX-License-Identifier: MIT
// All memory of one inference, taken at once and planned by lifetimes.
#pragma once

#include <vector>

#include "model/engine/fused/packed_network.h"

namespace unetseg::fused {

struct Memory {
  // For `threads` threads. Throws Error(no_space).
  Memory(const PackedNetwork& network, unsigned threads);

  // By layer: the raw output, what activates it, and what threads share while it is computed. In
  // bfloat16 two values take the place of one.
  std::vector<float*> raw, scale, offset, shared;
  // By layer: the pixels of each part of its output.
  std::vector<std::vector<int>> part_pixels;
  // By thread.
  std::vector<float*> own;

  // Of one of a layer's parts, behind those of the part before; all layers use the same memory, one
  // after the other.
  Moments moments(const Layer& layer, int part) const;

  // A layer's input that is no picture, of raw outputs that are float or Bf16.
  template <typename Raw>
  TermOf<Raw> term(const Input& input) const {
    const auto lazy = [&](int node) {
      if (node < 0) return LazyOf<Raw>{};
      const auto i = static_cast<std::size_t>(node);
      return LazyOf<Raw>{reinterpret_cast<const Raw*>(raw[i]), scale[i], offset[i]};
    };
    return {lazy(input.first), lazy(input.second), input.channels};
  }

  // For tests: a value that nothing may read before it is written.
  void fill(float value);

 private:
  AlignedFloats arena_, affine_, own_, moments_;
};

}  // namespace unetseg::fused
