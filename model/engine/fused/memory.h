// SPDX-License-Identifier: MIT
// All memory of one inference, taken at once and planned by lifetimes.
#pragma once

#include <vector>

#include "model/engine/fused/packed_network.h"

namespace unetseg::fused {

struct Memory {
  // For `threads` threads. Throws Error(no_space).
  Memory(const PackedNetwork& network, unsigned threads);

  // By layer: the raw output, what activates it, and what threads share while it is computed.
  std::vector<float*> raw, scale, offset, shared;
  // By thread.
  std::vector<float*> own;

  // Of one of a layer's parts; all layers use the same memory, one after the other.
  Moments moments(const Layer& layer, int part) const;

  // What activates a layer's input.
  Term term(const Input& input) const;

  // For tests: a value that nothing may read before it is written.
  void fill(float value);

 private:
  AlignedFloats arena_, affine_, own_, moments_;
};

}  // namespace unetseg::fused
