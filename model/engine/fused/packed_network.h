// SPDX-License-Identifier: MIT
// A network made ready for one input size: shapes, the way of computing each layer, packed weights.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/engine/fused/aligned.h"
#include "model/engine/fused/kernels.h"
#include "model/network/graph.h"

namespace unetseg::fused {

enum class Way { kDirect, kTiled, kBf16 };  // in float32 but for the last

// How a layer is computed; `shared` where weights are so many that each should be read once, so all
// threads activate or transform the whole picture first and then divide the weights among them.
// Otherwise every chunk is a band of rows, from activation to output, in a thread's own memory.
struct Method {
  Way way;
  bool shared;
  Tiling tiling;  // of Way::kTiled
  const TilingShape& shape() const { return kTilingShapes[tiling]; }
};

// What a layer reads along some of its input channels; nodes by index, kNoNode or kPicture.
struct Input {
  int first, second;
  int channels;  // padded; of the picture 3, in bfloat16 4
  int at;        // the first of them among all input channels
};

struct Layer {
  std::string name;
  Method method;
  std::vector<Input> inputs;
  int in_height, in_width;  // of each input
  int height, width;        // of the output
  int in_channels;          // of all inputs, padded
  int out_channels;         // padded
  int kernel, stride;
  bool enlarged;  // the input, twofold, before the kernel sees it
  int at_once;    // neighbours in a row that are computed as if they were channels: Way::kBf16
  AlignedFloats weights;
  // Of Way::kBf16, instead of those; and the steps' offsets over padded rows.
  Aligned<Bf16> bf16_weights;
  std::vector<std::ptrdiff_t> bf16_steps;
  AlignedFloats gamma, beta;  // out_channels; zero where padded
};

struct Head {
  int node;
  int height, width;
  int channels;  // padded
  AlignedFloats weights;
  float bias;
};

// Where a parameter's values are; borrowed during the call that gets it.
using FindParameter = std::function<const float*(const std::string& name)>;

struct PackedNetwork {
  // `height`, `width`: multiples of 16, at least 32. Throws Error(no_space).
  PackedNetwork(const NetworkGraph& graph, const FindParameter& find, int height, int width,
                const Kernels& kernels);

  const Kernels& kernels;
  int height, width;
  std::vector<Layer> layers;  // as the graph's nodes
  std::vector<Head> heads;    // of levels 0, 1, 2
};

}  // namespace unetseg::fused
