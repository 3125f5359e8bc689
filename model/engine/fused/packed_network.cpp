// SPDX-License-Identifier: MIT
#include "model/engine/fused/packed_network.h"

#include <algorithm>

#include "model/engine/fused/packing.h"

namespace unetseg::fused {
namespace {

int padded(int channels, int lanes) {
  return (channels + lanes - 1) / lanes * lanes;
}

// Channels of a layer's output are padded to a multiple of this.
int channel_unit(const Kernels& kernels) {
  return kernels.bf16 != nullptr ? std::max(kBf16Columns, kernels.lanes) : kernels.lanes;
}

// Weights that a core's second cache does not hold beside a band's data are better shared; in
// bfloat16 they are half as large, and dividing them costs each thread a look at all of the others'
// pixels. A picture of few tiles cannot pay for weights that become four times as many.
Method method_of(const ConvNode& node, const Layer& layer, const Kernels& kernels) {
  constexpr std::size_t kShared = 64 * 1024, kBf16Shared = 160 * 1024;  // weights
  const auto pairs = static_cast<std::size_t>(layer.in_channels * layer.out_channels);
  const auto shared = [&](int per_pair) {
    return static_cast<std::size_t>(per_pair) * pairs >
           (kernels.bf16 != nullptr ? kBf16Shared : kShared);
  };
  const auto tiled = [&](Tiling tiling) {
    const int products = kTilingShapes[tiling].products;
    return Method{Way::kTiled, shared(products * products), tiling};
  };
  if (kernels.bf16 != nullptr)
    return {Way::kBf16, shared(node.upsample ? 16 : node.kernel * node.kernel), kF2};
  if (node.upsample) return tiled(kUp);
  if (node.kernel == 1 || node.stride == 2 || node.inputs.front().first == kPicture)
    return {Way::kDirect, shared(node.kernel * node.kernel), kF2};
  return tiled(shared(36) && layer.height * layer.width < 256 ? kF2 : kF4);
}

// Two outputs side by side see one pixel more of each row than one does. Where the step has room
// for it, and one output fills only half of the columns that are multiplied together, two cost as
// much.
int outputs_at_once(const Layer& layer) {
  const auto steps = [&](int pixels) { return bf16_order(1, pixels, layer.in_channels).size(); };
  const bool fits = layer.method.way == Way::kBf16 && !layer.method.shared && !layer.enlarged &&
                    layer.kernel > 1 && layer.stride == 1 && layer.out_channels == kBf16Columns &&
                    layer.width % 2 == 0;
  return fits && steps(layer.kernel + 1) == steps(layer.kernel) ? 2 : 1;
}

void pack(const ConvWeights& weights, int lanes, Layer* layer) {
  const int columns = layer->out_channels;
  switch (layer->method.way) {
    case Way::kDirect:
      layer->weights = pack_direct(weights, columns, lanes);
      break;
    case Way::kTiled:
      layer->weights = pack_tiled(weights, layer->method.tiling, columns, lanes);
      break;
    case Way::kBf16:
      layer->bf16_weights = layer->enlarged ? pack_bf16_enlarged(weights, columns)
                                            : pack_bf16(weights, columns, layer->at_once);
      for (const Bf16Place& place :
           layer->enlarged
               ? bf16_order(2, 2, layer->in_channels)
               : bf16_order(layer->kernel, layer->kernel + layer->at_once - 1, layer->in_channels))
        layer->bf16_steps.push_back(
            std::ptrdiff_t{place.row} * (layer->in_width + 2) * layer->in_channels + place.value);
      break;
  }
}

AlignedFloats padded_copy(const float* values, int count, int padded_count) {
  AlignedFloats copy(static_cast<std::size_t>(padded_count));
  std::copy_n(values, count, copy.data());
  return copy;
}

Layer make_layer(const NetworkGraph& graph, const ConvNode& node, const FindParameter& find,
                 int height, int width, const Kernels& kernels) {
  const int unit = channel_unit(kernels);
  Layer layer;
  layer.name = node.name;
  layer.height = height >> node.level;
  layer.width = width >> node.level;
  layer.in_height = node.upsample ? layer.height / 2 : layer.height * node.stride;
  layer.in_width = node.upsample ? layer.width / 2 : layer.width * node.stride;
  layer.kernel = node.kernel;
  layer.stride = node.stride;
  layer.enlarged = node.upsample;
  layer.out_channels = padded(node.out_channels, unit);
  layer.in_channels = 0;

  ConvWeights weights;
  weights.values = find(node.name + ".conv.weight");
  weights.out = node.out_channels;
  weights.in = graph.in_channels(node);
  weights.kernel = node.kernel;
  for (const Operand& operand : node.inputs) {
    const int channels = graph.channels(operand);
    const int room = operand.first == kPicture ? (kernels.bf16 != nullptr ? 4 : channels)
                                               : padded(channels, unit);
    layer.inputs.push_back({operand.first, operand.second, room, layer.in_channels});
    for (int i = 0; i < channels; ++i) weights.in_channel.push_back(layer.in_channels + i);
    layer.in_channels += room;
  }
  weights.in_channels = layer.in_channels;
  layer.method = method_of(node, layer, kernels);
  layer.at_once = outputs_at_once(layer);
  pack(weights, kernels.lanes, &layer);
  layer.gamma =
      padded_copy(find(node.name + ".norm.weight"), node.out_channels, layer.out_channels);
  layer.beta = padded_copy(find(node.name + ".norm.bias"), node.out_channels, layer.out_channels);
  return layer;
}

}  // namespace

PackedNetwork::PackedNetwork(const NetworkGraph& graph, const FindParameter& find, int input_height,
                             int input_width, const Kernels& table)
    : kernels(table), height(input_height), width(input_width) {
  for (const ConvNode& node : graph.nodes)
    layers.push_back(make_layer(graph, node, find, height, width, kernels));
  for (const HeadNode& node : graph.heads) {
    const Layer& source = layers[static_cast<std::size_t>(node.input.first)];
    Head head;
    head.node = node.input.first;
    head.height = source.height;
    head.width = source.width;
    head.channels = source.out_channels;
    head.weights =
        padded_copy(find(node.name + ".weight"), graph.channels(node.input), source.out_channels);
    head.bias = *find(node.name + ".bias");
    heads.push_back(std::move(head));
  }
}

}  // namespace unetseg::fused
