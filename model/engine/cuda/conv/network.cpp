// SPDX-License-Identifier: MIT
#include "model/engine/cuda/conv/network.h"

#include <algorithm>
#include <cmath>

#include "model/engine/cuda/conv/heads_block.h"
#include "model/engine/cuda/conv/pack_weights.h"
#include "model/engine/cuda/conv/plans.h"
#include "model/engine/cuda/device_faults.h"

namespace unetseg::cuda {
namespace {

constexpr std::int64_t kSumNumbers = sizeof(ChannelSums) / sizeof(std::int64_t);

NumberType number_type(at::ScalarType type) {
  return type == at::kHalf ? NumberType::fp16 : NumberType::bf16;
}

ConvKind kind_of(const ConvNode& node) {
  return node.kernel == 1   ? ConvKind::pointwise
         : node.upsample    ? ConvKind::enlarged
         : node.stride == 2 ? ConvKind::strided
                            : ConvKind::same;
}

std::size_t at_node(int node) {
  return static_cast<std::size_t>(node);
}

ConvForm form_of(const NetworkGraph& graph, const ConvNode& node, int height, int width, int images,
                 at::ScalarType type) {
  ConvForm form = {};
  form.type = number_type(type);
  form.kind = kind_of(node);
  form.images = images;
  const int out_height = height >> node.level, out_width = width >> node.level;
  form.in_height = node.upsample ? out_height / 2 : out_height * node.stride;
  form.in_width = node.upsample ? out_width / 2 : out_width * node.stride;
  form.out_channels = node.out_channels;
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].first == kPicture) {
      form.reads_picture = true;
      continue;
    }
    form.in_channels[i] = graph.channels(node.inputs[i]);
    form.is_sum[i] = node.inputs[i].second != kNoNode;
  }
  return form;
}

bool can_run(const NetworkGraph& graph, int height, int width, at::ScalarType type,
             const ConvLimits& limits) {
  if (type != at::kHalf && type != at::kBFloat16) return false;
  for (const ConvNode& node : graph.nodes)
    if (node.out_channels % kVector != 0 || node.inputs.size() > kMostInputs ||
        !plan_conv(limits, form_of(graph, node, height, width, 1, type)))
      return false;
  int channels = 0;
  for (const HeadNode& head : graph.heads) {
    if (head.input.second != kNoNode) return false;
    channels += graph.channels(head.input);
  }
  return channels <= kMostHeadChannels;
}

double mean_square(const at::Tensor& tensor) {
  return tensor.to(at::kDouble).square().mean().item<double>();
}

// A power of two near the size that the outputs of these weights have, where inputs have
// `input_square` as their mean square.
double unit_of(const at::Tensor& weight, double input_square) {
  const double square = mean_square(weight) * static_cast<double>(weight[0].numel()) * input_square;
  return square > 0 && std::isfinite(square) ? std::exp2(std::round(std::log2(square) / 2)) : 1;
}

void launched(int code) {
  if (code != 0) throw LaunchError(code);
}

}  // namespace

std::unique_ptr<const ConvNetwork> ConvNetwork::make(const NetworkGraph& graph,
                                                     const Parameters& parameters, int height,
                                                     int width, const at::Device& device,
                                                     at::ScalarType type,
                                                     const ConvKernels& kernels) {
  ConvLimits limits;
  if (!kernels.limits(device.index(), &limits) || !can_run(graph, height, width, type, limits))
    return nullptr;
  return std::unique_ptr<const ConvNetwork>(
      new ConvNetwork(graph, parameters, height, width, device, type, kernels, limits));
}

ConvNetwork::ConvNetwork(const NetworkGraph& graph, const Parameters& parameters, int height,
                         int width, const at::Device& device, at::ScalarType type,
                         const ConvKernels& kernels, const ConvLimits& limits)
    : graph_(graph),
      height_(height),
      width_(width),
      type_(type),
      kernels_(kernels),
      limits_(limits) {
  std::vector<double> output_squares;
  for (const ConvNode& node : graph.nodes) {
    const at::Tensor weight =
        parameters.at(node.name + ".conv.weight").to(at::kCPU, at::kFloat).contiguous();
    std::vector<int> inputs;
    for (const Operand& input : node.inputs) inputs.push_back(graph.channels(input));
    std::vector<std::uint16_t> packed = pack_weights(weight.data_ptr<float>(), kind_of(node),
                                                     inputs, node.out_channels, number_type(type));
    const at::Tensor here =
        at::from_blob(packed.data(), {static_cast<std::int64_t>(packed.size())}, at::kShort);
    double input_square = 1;
    for (const Operand& input : node.inputs)
      for (const int from : {input.first, input.second})
        if (from >= 0) input_square += output_squares[at_node(from)];
    const at::Tensor gamma = parameters.at(node.name + ".norm.weight"),
                     beta = parameters.at(node.name + ".norm.bias");
    output_squares.push_back(mean_square(gamma) + mean_square(beta));
    layers_.push_back({at::empty_like(here, at::TensorOptions().device(device)).copy_(here),
                       gamma.to(device).contiguous(), beta.to(device).contiguous(), kNoNode,
                       unit_of(weight, input_square), all_sums_});
    all_sums_ += node.out_channels;
  }
  const int count = static_cast<int>(graph.nodes.size());
  const auto read = [this](const Operand& operand, int by) {
    for (const int node : {operand.first, operand.second})
      if (node >= 0) layers_[at_node(node)].last_reader = by;
  };
  for (int i = 0; i < count; ++i)
    for (const Operand& input : graph.nodes[at_node(i)].inputs) read(input, i);
  for (std::size_t i = 0; i < head_weights_.size(); ++i) {
    const HeadNode& head = graph.heads[i];
    read(head.input, count);
    head_weights_[i] = parameters.at(head.name + ".weight").to(device).flatten().contiguous();
    head_bias_ += parameters.at(head.name + ".bias").item<float>();
  }
}

template <typename Find>
ConvPlan ConvNetwork::plan_of(int images, int node, Find find) const {
  const std::lock_guard<std::mutex> lock(plans_lock_);
  const std::pair<int, int> key = {images, node};
  const auto found = plans_.find(key);
  return found != plans_.end() ? found->second : plans_.emplace(key, find()).first->second;
}

// What one inference writes. Tensors are let go of after their last use, so that LibTorch gives
// their memory to the next ones.
class ConvInference {
 public:
  ConvInference(const ConvNetwork& network, const at::Tensor& pictures, void* stream)
      : network_(network),
        pictures_(pictures),
        stream_(stream),
        images_(static_cast<int>(pictures.size(0))),
        options_(pictures.options()),
        outputs_(network.layers_.size()) {}

  at::Tensor run() {
    // Sums of all nodes, and then their flags.
    const std::int64_t nodes = static_cast<std::int64_t>(outputs_.size());
    statistics_ = at::zeros({images_ * (network_.all_sums_ * kSumNumbers + nodes)},
                            options_.dtype(at::kLong));
    for (int i = 0; i < static_cast<int>(outputs_.size()); ++i) {
      convolve(i);
      for (std::size_t k = 0; k < outputs_.size(); ++k)
        if (network_.layers_[k].last_reader == i) outputs_[k].reset();
    }
    return heads();
  }

 private:
  MapSums sums_of(int node) const {
    ChannelSums* all = reinterpret_cast<ChannelSums*>(statistics_.data_ptr<std::int64_t>());
    auto* flags = reinterpret_cast<unsigned*>(all + images_ * network_.all_sums_);
    return {all + images_ * network_.layers_[at_node(node)].sums_before, flags + images_ * node};
  }

  NodeMap map_of(int node) const {
    if (node == kNoNode) return {};
    const ConvNetwork::Layer& layer = network_.layers_[at_node(node)];
    const ConvNode& of_graph = network_.graph_.nodes[at_node(node)];
    const double pixels = static_cast<double>(network_.height_ >> of_graph.level) *
                          (network_.width_ >> of_graph.level);
    return {outputs_[at_node(node)].data_ptr(),
            sums_of(node),
            layer.gamma.data_ptr<float>(),
            layer.beta.data_ptr<float>(),
            of_graph.out_channels,
            std::ldexp(layer.unit, -kSumBits) / pixels,
            std::ldexp(layer.unit * layer.unit, -kSquareBits) / pixels};
  }

  void convolve(int index) {
    const ConvNode& node = network_.graph_.nodes[at_node(index)];
    const ConvNetwork::Layer& layer = network_.layers_[at_node(index)];
    ConvJob job = {};
    int n_maps = 0;
    for (const Operand& input : node.inputs)
      for (const int from : {input.first, input.second})
        if (from >= 0) job.maps[n_maps++] = map_of(from);
    job.picture = pictures_.data_ptr<float>();
    outputs_[at_node(index)] = at::empty(
        {images_, network_.height_ >> node.level, network_.width_ >> node.level, node.out_channels},
        options_.dtype(network_.type_));
    job.weights = layer.weights.data_ptr();
    job.raw = outputs_[at_node(index)].data_ptr();
    job.sums = sums_of(index);
    job.per_unit = static_cast<float>(1 / layer.unit);
    carry_out(job, network_.plan_of(images_, index, [&] { return fastest(job, node); }));
    launched(network_.kernels_.conv(job, stream_));
  }

  static void carry_out(ConvJob& job, const ConvPlan& plan) {
    job.plan = plan;
    // So that all tiles' together stay below 2^62.
    constexpr int kSquareRange = 62 - kSquareBits;
    job.most_squares = static_cast<float>(std::ldexp(1, kSquareRange) /
                                          (plan.across * plan.down * phases_of(plan.form.kind)));
  }

  // By trial, where time can be taken. Leaves nothing behind but what the node's real run
  // overwrites.
  ConvPlan fastest(ConvJob job, const ConvNode& node) const {
    const ConvForm form =
        form_of(network_.graph_, node, network_.height_, network_.width_, images_, network_.type_);
    ConvPlan best = plan_conv(network_.limits_, form).value();
    if (network_.kernels_.time == nullptr) return best;
    const at::Tensor sums =
        at::zeros({images_ * (node.out_channels * kSumNumbers + 1)}, options_.dtype(at::kLong));
    job.sums.sums = reinterpret_cast<ChannelSums*>(sums.data_ptr<std::int64_t>());
    job.sums.not_finite = reinterpret_cast<unsigned*>(job.sums.sums + images_ * node.out_channels);
    double least = -1;
    for (const ConvPlan& plan : possible_plans(network_.limits_, form)) {
      carry_out(job, plan);
      const double time = network_.kernels_.time(job, stream_);
      if (time < 0 || (least >= 0 && time >= least)) continue;
      least = time;
      best = plan;
    }
    return best;
  }

  at::Tensor heads() const {
    const at::Tensor out = at::empty({images_, network_.height_, network_.width_}, options_);
    HeadsJob job = {number_type(network_.type_),
                    images_,
                    network_.height_,
                    network_.width_,
                    {},
                    {},
                    network_.head_bias_,
                    out.data_ptr<float>()};
    for (std::size_t i = 0; i < network_.head_weights_.size(); ++i) {
      job.maps[i] = map_of(network_.graph_.heads[i].input.first);
      job.weights[i] = network_.head_weights_[i].data_ptr<float>();
    }
    launched(network_.kernels_.heads(job, stream_));
    return out;
  }

  const ConvNetwork& network_;
  const at::Tensor pictures_;
  void* const stream_;
  const int images_;
  const at::TensorOptions options_;  // float32 on the device
  std::vector<at::Tensor> outputs_;
  at::Tensor statistics_;
};

at::Tensor ConvNetwork::forward(const at::Tensor& pictures, void* stream) const {
  return ConvInference(*this, pictures, stream).run();
}

}  // namespace unetseg::cuda
