// SPDX-License-Identifier: MIT
// What the ways of computing a layer have in common.
#pragma once

#include <vector>

#include "model/engine/fused/steps.h"

namespace unetseg::fused {

using Offset = std::ptrdiff_t;

// A layer of a network, and where its numbers are. Refers to what it is made of.
class LayerSteps {
 public:
  LayerSteps(const PackedNetwork& network, const Memory& memory, const Frame& frame, int index)
      : kernels_(network.kernels),
        layer_(network.layers[static_cast<std::size_t>(index)]),
        memory_(memory),
        frame_(frame),
        index_(static_cast<std::size_t>(index)) {}

  Way way() const { return layer_.method.way; }

  // Makes of the parts' moments what activates the layer.
  void normalise() const;

 protected:
  // A stage whose chunks are work() of a copy of `self`, which is *this.
  template <typename Steps>
  static Stage stage(const Steps& self, int chunks, void (Steps::*work)(int, unsigned) const) {
    return {chunks, [self, work](int chunk, unsigned thread) { (self.*work)(chunk, thread); }, {}};
  }

  Offset padded_pixel() const { return layer_.in_channels; }
  Offset padded_row() const { return Offset{layer_.in_width + 2} * layer_.in_channels; }

  // Activates rows first .. first + count - 1 of the input, with a pixel of zeros on each side;
  // rows outside the picture are zero. Float or Bf16.
  template <typename Value>
  void load(int first, int count, Value* out) const;

  const Kernels& kernels_;
  const Layer& layer_;
  const Memory& memory_;
  const Frame& frame_;
  const std::size_t index_;

 private:
  void load_input(const Input& input, int y, float* out) const;
  void load_input(const Input& input, int y, Bf16* out) const;
};

// Of a layer that is computed this way.
std::vector<Stage> direct_stages(const LayerSteps& layer);
std::vector<Stage> tiled_stages(const LayerSteps& layer);
std::vector<Stage> bf16_stages(const LayerSteps& layer);

}  // namespace unetseg::fused
