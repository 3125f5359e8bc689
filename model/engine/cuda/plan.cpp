// SPDX-License-Identifier: MIT
#include "model/engine/cuda/plan.h"

#include <algorithm>

namespace unetseg::cuda {
namespace {

bool same(const Operand& a, const Operand& b) {
  return a.first == b.first && a.second == b.second;
}

bool read_the_same(const ConvNode& a, const ConvNode& b) {
  return a.upsample == b.upsample && a.inputs.size() == b.inputs.size() &&
         std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), same);
}

// The node after which an operand can be activated.
int last_part(const Operand& operand) {
  return std::max(operand.first, operand.second);
}

}  // namespace

Plan::Plan(const NetworkGraph& network, int height, int width, int picture_channels)
    : graph(network) {
  const int count = static_cast<int>(graph.nodes.size());
  for (const ConvNode& node : graph.nodes)
    nodes.push_back({kNoNode, height >> node.level, width >> node.level, kNoNode, {}});
  const auto used = [this](const Operand& operand, int by) {
    for (const int node : {operand.first, operand.second})
      if (node >= 0) {
        int& last = nodes[static_cast<std::size_t>(node)].last_node;
        last = std::max(last, by);
      }
  };
  for (int i = 0; i < count; ++i) {
    const ConvNode& node = graph.nodes[static_cast<std::size_t>(i)];
    PlannedNode& planned = nodes[static_cast<std::size_t>(i)];
    for (int before = 0; before < i && planned.buffer == kNoNode; ++before)
      if (read_the_same(graph.nodes[static_cast<std::size_t>(before)], node))
        planned.buffer = nodes[static_cast<std::size_t>(before)].buffer;
    if (planned.buffer != kNoNode) {
      buffers[static_cast<std::size_t>(planned.buffer)].last_node = i;
      continue;
    }
    planned.buffer = static_cast<int>(buffers.size());
    const bool holds_picture = node.inputs.front().first == kPicture;
    buffers.push_back({holds_picture ? picture_channels : graph.in_channels(node),
                       planned.height * node.stride, planned.width * node.stride, i,
                       holds_picture});
    int channel = 0;
    for (const Operand& operand : node.inputs) {
      if (holds_picture) break;
      auto& after = nodes[static_cast<std::size_t>(last_part(operand))].activations;
      auto found = std::find_if(after.begin(), after.end(), [&](const PlannedActivation& other) {
        return same(other.operand, operand);
      });
      if (found == after.end()) found = after.insert(found, {operand, {}});
      found->to.push_back({planned.buffer, channel, node.upsample});
      used(operand, last_part(operand));
      channel += graph.channels(operand);
    }
  }
  for (const HeadNode& head : graph.heads) used(head.input, count);
}

}  // namespace unetseg::cuda
