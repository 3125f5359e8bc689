// SPDX-License-Identifier: MIT
#include "model/engine/fused/steps.h"

#include "model/engine/fused/head_step.h"
#include "model/engine/fused/layer_steps.h"

namespace unetseg::fused {
namespace {

std::vector<Stage> stages_of(const LayerSteps& layer) {
  switch (layer.way()) {
    case Way::kTiled:
      return tiled_stages(layer);
    case Way::kBf16:
      return bf16_stages(layer);
    default:
      return direct_stages(layer);
  }
}

}  // namespace

std::vector<Stage> make_steps(const PackedNetwork& network, const Memory& memory,
                              const Frame& frame) {
  std::vector<Stage> steps;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const LayerSteps layer(network, memory, frame, static_cast<int>(i));
    for (Stage& stage : stages_of(layer)) steps.push_back(std::move(stage));
    steps.back().finish = [layer] { layer.normalise(); };
  }
  steps.push_back(head_stage(network, memory, frame));
  return steps;
}

}  // namespace unetseg::fused
