// SPDX-License-Identifier: MIT
#include "model/network/improved_unet.h"

#include "model/network/norm/norm_activate.h"

namespace unetseg {

at::Tensor ImprovedUnet::Cnl::operator()(const at::Tensor& x, int stride) const {
  const at::Tensor y = conv(x, stride);
  if (can_norm_activate(y, norm_weight))
    return norm_activate(y, norm_weight, norm_bias, layers::kNormEpsilon, layers::kLeakySlope);
  return layers::activate(layers::instance_norm(y, norm_weight, norm_bias));
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
    x = x + level.context_b(layers::drop_channels(level.context_a(x), dropout, i));
    skip[i] = x;
  }
  at::Tensor segment[kLevels - 2];
  for (int i = kLevels - 2; i >= 0; --i) {
    const Decoder& level = decoder_[i];
    x = level.merge(at::cat({level.up(layers::upsample(x)), skip[i]}, 1));
    if (i > 0) x = level.reduce(x);
    if (i < kLevels - 2) segment[i] = level.segment(x);
  }
  Logits logits;
  logits.quarter = segment[2];
  logits.half = segment[1] + layers::upsample(logits.quarter);
  logits.full = segment[0] + layers::upsample(logits.half);
  return logits;
}

}  // namespace unetseg
