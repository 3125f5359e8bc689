// SPDX-License-Identifier: MIT
#include "model/network/graph.h"

#include "model/network/layout.h"

namespace unetseg {
namespace {

constexpr int kPictureChannels = 3;

// Adds `node` and returns what reads it.
Operand add(NetworkGraph* graph, ConvNode node) {
  graph->nodes.push_back(std::move(node));
  return {static_cast<int>(graph->nodes.size()) - 1};
}

}  // namespace

int NetworkGraph::channels(const Operand& operand) const {
  return operand.first == kPicture ? kPictureChannels
                                   : nodes[static_cast<std::size_t>(operand.first)].out_channels;
}

int NetworkGraph::in_channels(const ConvNode& node) const {
  int sum = 0;
  for (const Operand& input : node.inputs) sum += channels(input);
  return sum;
}

NetworkGraph improved_unet_graph(int base_width) {
  NetworkGraph graph;
  std::array<Operand, kLevels> skip;
  Operand x = {kPicture};
  for (int i = 0; i < kLevels; ++i) {
    const std::string stem = "encoder." + std::to_string(i);
    const int c = base_width << i;
    const Operand down = add(&graph, {stem + ".down", {x}, c, 3, i == 0 ? 1 : 2, false, i});
    const Operand a = add(&graph, {stem + ".context.a", {down}, c, 3, 1, false, i});
    const Operand b = add(&graph, {stem + ".context.b", {a}, c, 3, 1, false, i});
    x = skip[static_cast<std::size_t>(i)] = {down.first, b.first};
  }
  for (int i = kLevels - 2; i >= 0; --i) {
    const std::string stem = "decoder." + std::to_string(i);
    const int c = base_width << i;
    const Operand up = add(&graph, {stem + ".up", {x}, c, 3, 1, true, i});
    x = add(&graph,
            {stem + ".merge", {up, skip[static_cast<std::size_t>(i)]}, 2 * c, 3, 1, false, i});
    if (i > 0) x = add(&graph, {stem + ".reduce", {x}, c, 1, 1, false, i});
    if (i < kLevels - 2) graph.heads[static_cast<std::size_t>(i)] = {stem + ".segment", x, i};
  }
  return graph;
}

}  // namespace unetseg
