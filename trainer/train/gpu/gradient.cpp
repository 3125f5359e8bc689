// SPDX-License-Identifier: MIT
#include "trainer/train/gpu/gradient.h"

#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "model/network/improved_unet.h"
#include "trainer/train/gpu/transfer.h"
#include "trainer/train/loss.h"

namespace unetseg::trainer::gpu {
namespace {

using training::require_launched;

constexpr std::int64_t kColours = 3;
constexpr std::int64_t kPictureChannels = 8;  // a pixel is read at once; zero from the fourth on

at::ScalarType type_of(const Config& config) {
  return config.precision == "bf16" ? at::kBFloat16 : at::kFloat;
}

// Of the weights that a convolution of cuDNN reads; a head of one channel has a kernel of its own.
bool is_convolution(const ParameterLayout& parameter) {
  return parameter.role == ParameterRole::conv_weight && parameter.shape[0] > 1;
}

std::int64_t channels_of_level(const Config& config, int level) {
  return std::int64_t{config.base_width} << level;
}

}  // namespace

Launcher launcher_for(const at::Device& device) {
  const auto* network = unetseg::training::launcher_for(device);
  if (network == nullptr) return {nullptr, nullptr};
  return {device.is_cpu() ? &host_kernels() : device_kernels(), network};
}

Gradient::Gradient(const Config& config, const std::vector<ParameterLayout>& layout,
                   const at::Tensor& values, const at::Tensor& gradient, const Launcher& launcher)
    : config_(config), launcher_(launcher), values_(values), gradient_(gradient) {
  Parameters parameters;
  convolutions_ = convolutions(layout, &parameters);
  others_ = others(layout, &parameters);
  network_ = std::make_unique<ImprovedUnet>(parameters);
  const std::int64_t n = config.batch_size, height = config.input_height,
                     width = config.input_width;
  const auto options = values.options();
  images_ = at::zeros({n, kPictureChannels, height, width}, options.dtype(type_of(config)))
                .contiguous(at::MemoryFormat::ChannelsLast);
  target_ = at::zeros({n, 1, height, width}, options);
  std::int64_t channels = 0;
  for (int level = 0; level < kLevels; ++level) channels += channels_of_level(config, level);
  factors_ = at::zeros({n * channels}, options);
  loss_ = at::zeros({}, options);
}

Gradient::Group Gradient::convolutions(const std::vector<ParameterLayout>& layout,
                                       Parameters* parameters) const {
  Group group;
  group.type = type_of(config_);
  std::vector<at::Tensor> orders;
  std::vector<std::int64_t> offsets = {0};
  std::int64_t offset = 0;
  for (const ParameterLayout& parameter : layout) {
    const std::int64_t count = element_count(parameter);
    if (is_convolution(parameter)) {
      at::Tensor order = at::arange(offset, offset + count, at::kInt).view(parameter.shape);
      if (parameter.shape[1] == kColours)
        order = at::constant_pad_nd(order, {0, 0, 0, 0, 0, kPictureChannels - kColours}, -1);
      orders.push_back(order.permute({0, 2, 3, 1}).contiguous());
      offsets.push_back(offsets.back() + order.numel());
    }
    offset += count;
  }
  std::vector<at::Tensor> flat;
  for (const at::Tensor& order : orders) flat.push_back(order.flatten());
  group.order = at::cat(flat).to(values_.device());
  group.values = at::zeros({group.order.numel()}, values_.options().dtype(group.type));
  group.gradient = at::zeros_like(group.values);
  std::size_t i = 0;
  for (const ParameterLayout& parameter : layout) {
    if (!is_convolution(parameter)) continue;
    at::Tensor leaf = group.values.narrow(0, offsets[i], orders[i].numel())
                          .view(orders[i].sizes())
                          .permute({0, 3, 1, 2})
                          .detach();
    group.leaves.push_back(leaf.set_requires_grad(true));
    (*parameters)[parameter.name] = group.leaves.back();
    ++i;
  }
  return group;
}

Gradient::Group Gradient::others(const std::vector<ParameterLayout>& layout,
                                 Parameters* parameters) const {
  Group group;
  std::vector<at::Tensor> orders;
  std::int64_t offset = 0;
  for (const ParameterLayout& parameter : layout) {
    const std::int64_t count = element_count(parameter);
    if (!is_convolution(parameter)) {
      orders.push_back(at::arange(offset, offset + count, at::kInt));
      at::Tensor leaf = values_.narrow(0, offset, count).view(parameter.shape).detach();
      group.leaves.push_back(leaf.set_requires_grad(true));
      (*parameters)[parameter.name] = group.leaves.back();
    }
    offset += count;
  }
  group.order = at::cat(orders).to(values_.device());
  group.gradient = at::zeros({group.order.numel()}, values_.options());
  return group;
}

void Gradient::load(const Batch& batch, const DropoutMasks& dropout) {
  samples_ = batch.images.size(0);
  images_.narrow(0, 0, samples_).narrow(1, 0, kColours).copy_(batch.images);
  target_.narrow(0, 0, samples_).copy_(batch.target);
  if (dropout.empty()) {
    factors_.fill_(1);
    return;
  }
  const std::int64_t numbers = factors_.numel() / config_.batch_size * samples_;
  const at::Tensor staged = staging({numbers}, at::kFloat, factors_.device());
  std::int64_t offset = 0;
  for (const at::Tensor& mask : dropout) {
    staged.narrow(0, offset, mask.numel()).copy_(mask.flatten());
    offset += mask.numel();
  }
  factors_.narrow(0, 0, numbers).copy_(staged, /*non_blocking=*/true);
}

DropoutMasks Gradient::dropout() const {
  DropoutMasks masks;
  if (config_.dropout <= 0) return masks;
  std::int64_t offset = 0;
  for (int level = 0; level < kLevels; ++level) {
    const std::int64_t channels = channels_of_level(config_, level);
    masks.push_back(factors_.narrow(0, offset, samples_ * channels).view({samples_, channels}));
    offset += samples_ * channels;
  }
  return masks;
}

MirrorJob Gradient::mirror_job(const Group& group, const at::Tensor& flat,
                               const at::Tensor& mirror) const {
  return {group.type == at::kBFloat16 ? cuda::NumberType::bf16 : cuda::NumberType::fp32,
          static_cast<int>(group.order.numel()), group.order.data_ptr<int>(),
          flat.data_ptr<float>(), mirror.data_ptr()};
}

void Gradient::compute() {
  void* stream = launcher_.network->stream();
  require_launched(launcher_.kernels->to_mirror(
      mirror_job(convolutions_, values_, convolutions_.values), stream));
  const Logits logits = network_->forward(images_.narrow(0, 0, samples_), dropout());
  const at::Tensor loss = segmentation_loss(config_.loss, config_.deep_supervision, logits,
                                            target_.narrow(0, 0, samples_));
  std::vector<at::Tensor> leaves = convolutions_.leaves;
  leaves.insert(leaves.end(), others_.leaves.begin(), others_.leaves.end());
  const std::vector<at::Tensor> gradients = torch::autograd::grad({loss}, leaves);
  auto found = gradients.begin();
  for (Group* group : {&convolutions_, &others_}) {
    std::vector<at::Tensor> flat;
    for (std::size_t i = 0; i < group->leaves.size(); ++i, ++found)
      flat.push_back(group == &convolutions_ ? found->permute({0, 2, 3, 1}).flatten()
                                             : found->flatten());
    at::cat_out(group->gradient, flat);
    require_launched(
        launcher_.kernels->from_mirror(mirror_job(*group, gradient_, group->gradient), stream));
  }
  loss_.copy_(loss.detach());
}

}  // namespace unetseg::trainer::gpu
