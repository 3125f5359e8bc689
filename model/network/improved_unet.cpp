// SPDX-License-Identifier: MIT
#include "model/network/improved_unet.h"

#include "model/network/training/operations.h"
#include "model/network/norm/norm_activate.h"

namespace unetseg {

at::Tensor ImprovedUnet::Cnl::operator()(const at::Tensor& x, int stride) const {
  return (*this)(x, {}, {}, stride);
}

at::Tensor ImprovedUnet::Cnl::operator()(const at::Tensor& x, const at::Tensor& factors,
                                         const at::Tensor& added, int stride) const {
  at::Tensor y = conv(x, stride);
  if (const training::Launcher* launcher = training::launcher_of(y))
    return training::norm_activate(*launcher, y, norm_weight, norm_bias,
                                   {layers::kNormEpsilon, layers::kLeakySlope, factors, added});
  if (can_norm_activate(y, norm_weight))
    y = norm_activate(y, norm_weight, norm_bias, layers::kNormEpsilon, layers::kLeakySlope);
  else
    y = layers::activate(layers::instance_norm(y, norm_weight, norm_bias));
  if (factors.defined()) y = layers::scale_channels(y, factors);
  return added.defined() ? added + y : y;
}

at::Tensor ImprovedUnet::segment(const layers::Conv& conv, const at::Tensor& x) {
  if (const training::Launcher* launcher = training::launcher_of(x))
    return training::head(*launcher, x, conv.weight, conv.bias);
  return conv(x);
}

ImprovedUnet::Cnl ImprovedUnet::cnl(const Parameters& parameters, const std::string& name) {
  return {layers::conv(parameters, name + ".conv"), parameters.at(name + ".norm.weight"),
          parameters.at(name + ".norm.bias")};
}

ImprovedUnet::ImprovedUnet(const Parameters& parameters) {
  for (int i = 0; i < kLevels; ++i) {
    const std::string stem = "encoder." + std::to_string(i);
    encoder_[i] = {cnl(parameters, stem + ".down"), cnl(parameters, stem + ".context.a"),
                   cnl(parameters, stem + ".context.b")};
  }
  for (int i = 0; i < kLevels - 1; ++i) {
    const std::string stem = "decoder." + std::to_string(i);
    decoder_[i].up = cnl(parameters, stem + ".up");
    decoder_[i].merge = cnl(parameters, stem + ".merge");
    if (i > 0) decoder_[i].reduce = cnl(parameters, stem + ".reduce");
    if (i < kLevels - 2) decoder_[i].segment = layers::conv(parameters, stem + ".segment");
  }
}

Logits ImprovedUnet::forward(const at::Tensor& images, const DropoutMasks& dropout) const {
  at::Tensor skip[kLevels];
  at::Tensor x = images;
  for (int i = 0; i < kLevels; ++i) {
    const Encoder& level = encoder_[i];
    x = level.down(x, i == 0 ? 1 : 2);
    const at::Tensor factors =
        dropout.empty() ? at::Tensor() : dropout[static_cast<std::size_t>(i)];
    x = level.context_b(level.context_a(x, factors, {}), {}, x);
    skip[i] = x;
  }
  at::Tensor logit[kLevels - 2];
  for (int i = kLevels - 2; i >= 0; --i) {
    const Decoder& level = decoder_[i];
    x = level.merge(at::cat({level.up(layers::upsample(x)), skip[i]}, 1));
    if (i > 0) x = level.reduce(x);
    if (i < kLevels - 2) logit[i] = segment(level.segment, x);
  }
  Logits logits;
  logits.quarter = logit[2];
  logits.half = logit[1] + layers::upsample(logits.quarter);
  logits.full = logit[0] + layers::upsample(logits.half);
  return logits;
}

}  // namespace unetseg
