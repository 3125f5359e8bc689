// SPDX-License-Identifier: MIT
// A network's graph as convolutions and what has to be written between them. No LibTorch.
#pragma once

#include <vector>

#include "model/network/graph.h"

namespace unetseg::cuda {

// What a convolution reads: its inputs activated, side by side, enlarged where it asks for that.
// Convolutions that read the same share one.
struct PlannedBuffer {
  int channels;
  int height, width;
  int last_node;       // the last that reads it
  bool holds_picture;  // written before the first node, nothing else is in it
};

struct PlannedDestination {
  int buffer;
  int first_channel;
  bool enlarged;
};

// An operand is activated as soon as its nodes are there.
struct PlannedActivation {
  Operand operand;
  std::vector<PlannedDestination> to;
};

struct PlannedNode {
  int buffer;         // that it reads
  int height, width;  // of its output
  int last_node;      // the last after which its output is read; the number of nodes: a head
  std::vector<PlannedActivation> activations;  // after it
};

struct Plan {
  // `height`, `width`: multiples of 16, at least 32. `picture_channels`: of the buffer that holds
  // the picture, at least 3.
  Plan(const NetworkGraph& network, int height, int width, int picture_channels);

  NetworkGraph graph;
  std::vector<PlannedBuffer> buffers;
  std::vector<PlannedNode> nodes;  // as the graph's
};

}  // namespace unetseg::cuda
