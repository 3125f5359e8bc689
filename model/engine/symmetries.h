// SPDX-License-Identifier: MIT
// Test-time augmentation: probabilities as the mean over mirrored and turned copies of the input.
#pragma once

#include <array>
#include <vector>

#include "model/engine/engine.h"

namespace unetseg {

// Over any engine of this input size, in pixels. One thread at a time. Buffers are made when copies
// are first asked for, and kept.
class Symmetries {
 public:
  Symmetries(int width, int height) : width_(width), height_(height) {}

  // As engine.run(); each input and its copies are one batch. After an error the probabilities mean
  // nothing.
  void run(Engine& engine, UnetsegTta tta, const float* const* inputs, float* const* probabilities,
           int n);

 private:
  static constexpr std::size_t kMost = 8;

  std::size_t count(UnetsegTta tta) const;
  void make_room(std::size_t count);
  void average(Engine& engine, std::size_t count, const float* input, float* probabilities);

  int width_, height_;
  std::vector<std::vector<float>> inputs_, outputs_;  // of all copies but the input itself
  std::array<const float*, kMost> input_pointers_ = {};
  std::array<float*, kMost> output_pointers_ = {};
};

}  // namespace unetseg
