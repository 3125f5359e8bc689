// SPDX-License-Identifier: MIT
#include "model/engine/cuda/network.h"

#include <algorithm>

#include "model/engine/cuda/device_faults.h"

namespace unetseg::cuda {
namespace {

constexpr auto kNhwc = at::MemoryFormat::ChannelsLast;

NumberType number_type(at::ScalarType type) {
  return type == at::kHalf       ? NumberType::fp16
         : type == at::kBFloat16 ? NumberType::bf16
                                 : NumberType::fp32;
}

// So many that a pixel is read at once.
int picture_channels(at::ScalarType type) {
  return type == at::kFloat ? 4 : 8;
}

// Without bias. cuDNN may try its ways of computing the first time, but not round to TF32.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, int stride) {
  const std::int64_t padding = weight.size(2) / 2;
  if (!x.is_cuda()) return at::conv2d(x, weight, {}, stride, padding).contiguous(kNhwc);
  constexpr bool kBenchmark = true, kDeterministic = true, kTf32 = false;
  return at::cudnn_convolution(x, weight, {padding, padding}, {stride, stride}, {1, 1}, 1,
                               kBenchmark, kDeterministic, kTf32)
      .contiguous(kNhwc);
}

void launched(int code) {
  if (code != 0) throw LaunchError(code);
}

}  // namespace

FusedNetwork::FusedNetwork(const NetworkGraph& graph, const Parameters& parameters, int height,
                           int width, const at::Device& device, at::ScalarType type)
    : plan_(graph, height, width, picture_channels(type)), type_(type) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const std::string& name = graph.nodes[i].name;
    at::Tensor weight = parameters.at(name + ".conv.weight").to(device);
    const std::int64_t more =
        plan_.buffers[static_cast<std::size_t>(plan_.nodes[i].buffer)].channels - weight.size(1);
    if (more > 0) weight = at::constant_pad_nd(weight, {0, 0, 0, 0, 0, more});
    layers_.push_back({weight.to(type).contiguous(kNhwc),
                       parameters.at(name + ".norm.weight").to(device).contiguous(),
                       parameters.at(name + ".norm.bias").to(device).contiguous()});
  }
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    const std::string& name = graph.heads[i].name;
    heads_[i] = {parameters.at(name + ".weight").to(device).flatten().contiguous(),
                 parameters.at(name + ".bias").item<float>()};
  }
}

// What one inference writes. Tensors are let go of after their last use, so that LibTorch gives
// their memory to the next ones.
class Inference {
 public:
  Inference(const FusedNetwork& network, const at::Tensor& pictures, const Kernels& kernels,
            void* stream)
      : network_(network),
        plan_(network.plan_),
        kernels_(kernels),
        stream_(stream),
        type_(number_type(network.type_)),
        images_(static_cast<int>(pictures.size(0))),
        options_(pictures.options()),
        raws_(plan_.nodes.size()),
        sums_(plan_.nodes.size()),
        buffers_(plan_.buffers.size()) {
    take(pictures);
  }

  at::Tensor run() {
    for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
      convolve_node(i);
      for (const PlannedActivation& activation : plan_.nodes[i].activations) activate(activation);
      drop(static_cast<int>(i));
    }
    at::Tensor result;
    for (std::size_t i = plan_.graph.heads.size(); i-- > 0;) result = head(i, result);
    return result;
  }

 private:
  void take(const at::Tensor& pictures) {
    for (std::size_t i = 0; i < plan_.buffers.size(); ++i) {
      if (!plan_.buffers[i].holds_picture) continue;
      const PlannedBuffer& planned = plan_.buffers[i];
      launched(kernels_.picture({type_, pictures.data_ptr<float>(), buffer(i).data_ptr(), images_,
                                 planned.height * planned.width, planned.channels},
                                stream_));
    }
  }

  at::Tensor& buffer(std::size_t index) {
    at::Tensor& tensor = buffers_[index];
    const PlannedBuffer& planned = plan_.buffers[index];
    if (!tensor.defined())
      tensor = at::empty({images_, planned.channels, planned.height, planned.width},
                         options_.dtype(network_.type_).memory_format(kNhwc));
    return tensor;
  }

  void convolve_node(std::size_t index) {
    const ConvNode& node = plan_.graph.nodes[index];
    const PlannedNode& planned = plan_.nodes[index];
    raws_[index] = convolve(buffers_[static_cast<std::size_t>(planned.buffer)],
                            network_.layers_[index].weight, node.stride);
    const int pixels = planned.height * planned.width;
    sums_[index] = at::empty({images_, parts_of(pixels), kSums, node.out_channels}, options_);
    launched(kernels_.moments({type_, raws_[index].data_ptr(), sums_[index].data_ptr<float>(),
                               images_, pixels, node.out_channels},
                              stream_));
  }

  Raw raw(int node) const {
    if (node == kNoNode) return {};
    const auto i = static_cast<std::size_t>(node);
    const FusedNetwork::Layer& layer = network_.layers_[i];
    return {raws_[i].data_ptr(), sums_[i].data_ptr<float>(), layer.gamma.data_ptr<float>(),
            layer.beta.data_ptr<float>()};
  }

  Term term(const Operand& operand) const {
    const PlannedNode& planned = plan_.nodes[static_cast<std::size_t>(operand.first)];
    return {raw(operand.first), raw(operand.second), images_,
            planned.height,     planned.width,       plan_.graph.channels(operand)};
  }

  void activate(const PlannedActivation& activation) {
    for (std::size_t i = 0; i < activation.to.size(); i += kMostDestinations) {
      ActivateJob job = {type_, term(activation.operand), {}};
      for (std::size_t k = 0; k < kMostDestinations && i + k < activation.to.size(); ++k) {
        const PlannedDestination& to = activation.to[i + k];
        const auto index = static_cast<std::size_t>(to.buffer);
        job.to[k] = {buffer(index).data_ptr(), plan_.buffers[index].channels, to.first_channel,
                     to.enlarged};
      }
      launched(kernels_.activate(job, stream_));
    }
  }

  at::Tensor head(std::size_t index, const at::Tensor& coarser) {
    const Term read = term(plan_.graph.heads[index].input);
    const FusedNetwork::Head& head = network_.heads_[index];
    at::Tensor out = at::empty({images_, read.height, read.width}, options_);
    launched(kernels_.head({type_, read, head.weight.data_ptr<float>(), head.bias,
                            coarser.defined() ? coarser.data_ptr<float>() : nullptr,
                            out.data_ptr<float>(), index == 0},
                           stream_));
    return out;
  }

  void drop(int node) {
    for (std::size_t i = 0; i < raws_.size(); ++i)
      if (plan_.nodes[i].last_node <= node) raws_[i].reset();
    for (std::size_t i = 0; i < buffers_.size(); ++i)
      if (plan_.buffers[i].last_node <= node) buffers_[i].reset();
  }

  const FusedNetwork& network_;
  const Plan& plan_;
  const Kernels& kernels_;
  void* const stream_;
  const NumberType type_;
  const int images_;
  const at::TensorOptions options_;  // float32 on the device
  std::vector<at::Tensor> raws_, sums_, buffers_;
};

at::Tensor FusedNetwork::forward(const at::Tensor& pictures, const Kernels& kernels,
                                 void* stream) const {
  return Inference(*this, pictures, kernels, stream).run();
}

}  // namespace unetseg::cuda
