// SPDX-License-Identifier: MIT
#include "model/engine/fused/layer_steps.h"

#include <algorithm>

namespace unetseg::fused {

void LayerSteps::normalise() const {
  const std::vector<int>& pixels = memory_.part_pixels[index_];
  kernels_.normalise({memory_.moments(layer_, 0), layer_.out_channels, pixels.data(),
                      static_cast<int>(pixels.size()), layer_.out_channels, layer_.gamma.data(),
                      layer_.beta.data(), memory_.scale[index_], memory_.offset[index_]});
}

template <typename Value>
void LayerSteps::load(int first, int count, Value* out) const {
  const auto pixel = static_cast<std::size_t>(padded_pixel());
  const auto row = static_cast<std::size_t>(padded_row());
  for (int i = 0; i < count; ++i, out += row) {
    const int y = first + i;
    if (y < 0 || y >= layer_.in_height) {
      std::fill_n(out, row, Value{});
      continue;
    }
    std::fill_n(out, pixel, Value{});
    std::fill_n(out + row - pixel, pixel, Value{});
    for (const Input& input : layer_.inputs) load_input(input, y, out + pixel + input.at);
  }
}

void LayerSteps::load_input(const Input& input, int y, float* out) const {
  const Offset first = Offset{y} * layer_.in_width;
  if (input.first != kPicture)
    return kernels_.activate(memory_.term<float>(input), first, layer_.in_width, out,
                             layer_.in_channels);
  const Offset plane = Offset{layer_.in_height} * layer_.in_width;
  const float* from = frame_.picture + first;
  for (int x = 0; x < layer_.in_width; ++x, ++from, out += layer_.in_channels)
    for (int c = 0; c < input.channels; ++c) out[c] = from[c * plane];
}

void LayerSteps::load_input(const Input& input, int y, Bf16* out) const {
  const Offset first = Offset{y} * layer_.in_width;
  if (input.first != kPicture)
    return kernels_.bf16->activate(memory_.term<Bf16>(input), first, layer_.in_width, out,
                                   layer_.in_channels);
  kernels_.bf16->interleave(frame_.picture + first, Offset{layer_.in_height} * layer_.in_width,
                            layer_.in_width, out);
}

template void LayerSteps::load(int, int, float*) const;
template void LayerSteps::load(int, int, Bf16*) const;

}  // namespace unetseg::fused
