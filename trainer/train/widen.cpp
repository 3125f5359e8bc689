// SPDX-License-Identifier: MIT
#include "trainer/train/widen.h"

#include <cmath>

#include "model/network/graph.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

// Which old channel each new one copies, and how many copies an old one has.
struct Copies {
  at::Tensor source;  // int64, an element a new channel
  at::Tensor count;   // float, an element a new channel: copies of its source, itself included
};

// The same for all layers of one width, so that what is added up stays side by side.
Copies copies_of(std::int64_t from, std::int64_t to) {
  const at::Tensor source = at::arange(to, at::kLong).remainder(from);
  return {source, at::bincount(source, {}, from).to(at::kFloat).index_select(0, source)};
}

Copies joined(const std::vector<Copies>& parts, const std::vector<std::int64_t>& widths) {
  std::vector<at::Tensor> sources, counts;
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sources.push_back(parts[i].source + offset);
    counts.push_back(parts[i].count);
    offset += widths[i];
  }
  return {at::cat(sources), at::cat(counts)};
}

// Of what a convolution reads: concatenated operands of the narrow and of the wide network.
Copies copies_of_inputs(const NetworkGraph& narrow, const NetworkGraph& wide,
                        const std::vector<Operand>& inputs) {
  std::vector<Copies> parts;
  std::vector<std::int64_t> widths;
  for (const Operand& input : inputs) {
    widths.push_back(narrow.channels(input));
    parts.push_back(copies_of(widths.back(), wide.channels(input)));
  }
  return joined(parts, widths);
}

at::Tensor widened_weight(const at::Tensor& weight, const at::Tensor& outputs,
                          const Copies& inputs) {
  return weight.index_select(0, outputs).index_select(1, inputs.source) /
         inputs.count.view({1, -1, 1, 1});
}

// As much noise for all weights of a convolution.
at::Tensor with_noise(const at::Tensor& weight, double deviation, Random* random) {
  const at::Tensor noise = at::empty_like(weight);
  float* values = noise.data_ptr<float>();
  const double reach = std::sqrt(3.);  // of the uniform distribution whose deviation is 1
  for (std::int64_t i = 0; i < noise.numel(); ++i)
    values[i] = static_cast<float>(random->uniform(-reach, reach));
  return weight + noise * (deviation * weight.square().mean().sqrt());
}

}  // namespace

Parameters widened(const Parameters& parameters, int from, int to, std::uint64_t seed,
                   double noise) {
  const NetworkGraph narrow = improved_unet_graph(from), wide = improved_unet_graph(to);
  Parameters result;
  for (std::size_t i = 0; i < narrow.nodes.size(); ++i) {
    const ConvNode& node = narrow.nodes[i];
    const at::Tensor outputs = copies_of(node.out_channels, wide.nodes[i].out_channels).source;
    const std::string weight = node.name + ".conv.weight";
    Random random(seed, Purpose::widening, {i});
    result[weight] = with_noise(
        widened_weight(parameters.at(weight), outputs, copies_of_inputs(narrow, wide, node.inputs)),
        noise, &random);
    for (const char* norm : {".norm.weight", ".norm.bias"})
      result[node.name + norm] = parameters.at(node.name + norm).index_select(0, outputs);
  }
  for (const HeadNode& head : narrow.heads) {
    result[head.name + ".weight"] =
        widened_weight(parameters.at(head.name + ".weight"), at::zeros({1}, at::kLong),
                       copies_of_inputs(narrow, wide, {head.input}));
    result[head.name + ".bias"] = parameters.at(head.name + ".bias");
  }
  return result;
}

}  // namespace unetseg::trainer
