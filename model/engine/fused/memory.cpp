// SPDX-License-Identifier: MIT
#include "model/engine/fused/memory.h"

#include <algorithm>

#include "model/engine/fused/arena.h"
#include "model/engine/fused/chunks.h"

namespace unetseg::fused {
namespace {

// Each layer's output first, then what each layer's threads share.
std::vector<Lifetime> lifetimes_of(const PackedNetwork& network) {
  const auto count = static_cast<int>(network.layers.size());
  std::vector<Lifetime> lifetimes;
  for (int i = 0; i < count; ++i) {
    const Layer& layer = network.layers[static_cast<std::size_t>(i)];
    lifetimes.push_back({raw_floats(layer), i, i});
    for (const Input& input : layer.inputs)
      for (const int node : {input.first, input.second})
        if (node >= 0) lifetimes[static_cast<std::size_t>(node)].last = i;
  }
  for (const Head& head : network.heads)
    lifetimes[static_cast<std::size_t>(head.node)].last = count;
  for (int i = 0; i < count; ++i)
    lifetimes.push_back({shared_floats(network.layers[static_cast<std::size_t>(i)]), i, i});
  return lifetimes;
}

// A head's thread keeps four rows of logits and the rows of the smaller maps below them.
std::size_t head_floats(const PackedNetwork& network) {
  return 6 * static_cast<std::size_t>(network.width);
}

void fill(AlignedFloats& values, float value) {
  std::fill_n(values.data(), values.size(), value);
}

}  // namespace

Memory::Memory(const PackedNetwork& network, unsigned threads) {
  const std::size_t count = network.layers.size();
  const Arena plan = plan_arena(lifetimes_of(network));
  arena_ = AlignedFloats(plan.size);
  std::size_t affine = 0, sums = 0, each = head_floats(network);
  for (const Layer& layer : network.layers) {
    const auto channels = static_cast<std::size_t>(layer.out_channels);
    affine += 2 * whole_lines(channels);
    sums = std::max(sums, 3 * static_cast<std::size_t>(moment_parts(layer)) * channels);
    each = std::max(each, own_floats(layer));
  }
  affine_ = AlignedFloats(affine);
  moments_ = AlignedFloats(sums);
  own_ = AlignedFloats(whole_lines(each) * threads);

  float* next = affine_.data();
  for (std::size_t i = 0; i < count; ++i) {
    const auto room = whole_lines(static_cast<std::size_t>(network.layers[i].out_channels));
    raw.push_back(arena_.data() + plan.offsets[i]);
    shared.push_back(arena_.data() + plan.offsets[count + i]);
    scale.push_back(next);
    offset.push_back(next + room);
    next += 2 * room;
    part_pixels.emplace_back();
    for (int part = 0; part < moment_parts(network.layers[i]); ++part)
      part_pixels.back().push_back(fused::part_pixels(network.layers[i], part));
  }
  for (unsigned t = 0; t < threads; ++t) own.push_back(own_.data() + whole_lines(each) * t);
}

Moments Memory::moments(const Layer& layer, int part) const {
  const std::ptrdiff_t all = std::ptrdiff_t{moment_parts(layer)} * layer.out_channels;
  float* values = const_cast<float*>(moments_.data());
  return Moments{values, values + all, values + 2 * all}.from(std::ptrdiff_t{part} *
                                                              layer.out_channels);
}

void Memory::fill(float value) {
  for (AlignedFloats* values : {&arena_, &affine_, &own_, &moments_}) fused::fill(*values, value);
}

}  // namespace unetseg::fused
