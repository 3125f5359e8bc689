// SPDX-License-Identifier: MIT
// What a network computes, as data: convolutions, what each reads, and the heads that make logits.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace unetseg {

constexpr int kNoNode = -1;
constexpr int kPicture = -2;  // the network's input

// The activated output of one node, or of two added up. Both have the same shape.
struct Operand {
  int first;
  int second = kNoNode;
};

// Convolution without bias, InstanceNorm, LeakyReLU; its parameters are `name`.conv.weight,
// `name`.norm.weight and `name`.norm.bias.
struct ConvNode {
  std::string name;
  std::vector<Operand> inputs;  // one after the other along the channels
  int out_channels;
  int kernel;     // 3 or 1, padded to keep the size
  int stride;     // 1 or 2
  bool upsample;  // the input is enlarged twofold first, nearest neighbour
  int level;      // the output is 1 / 2^level of the input picture's height and width
};

// 1x1 convolution with bias to one channel: `name`.weight and `name`.bias.
struct HeadNode {
  std::string name;
  Operand input;
  int level;
};

// Nodes read earlier ones only. logit = heads[0] + up(heads[1] + up(heads[2])), nearest neighbour.
struct NetworkGraph {
  std::vector<ConvNode> nodes;
  std::array<HeadNode, 3> heads;  // of levels 0, 1 and 2

  // Channels of an operand, and of all that a node reads.
  int channels(const Operand& operand) const;
  int in_channels(const ConvNode& node) const;
};

// "improved-unet" of any base width.
NetworkGraph improved_unet_graph(int base_width);

}  // namespace unetseg
