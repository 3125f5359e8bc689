// SPDX-License-Identifier: MIT
#include "model/network/seed_unet.h"

namespace unetseg {

SeedUnet::SeedUnet(const Parameters& parameters) {
  const auto conv = [&](const std::string& name) { return layers::conv(parameters, name); };
  for (int i = 0; i < kLevels; ++i) {
    const std::string stem = "encoder_block" + std::to_string(i + 1);
    encoder_[i] = {conv(stem + ".0"), conv(stem + ".2.conv1"), conv(stem + ".2.conv2")};
  }
  up_[3] = conv("encoder_block5.3.layers.1");
  up_[2] = conv("decoder_block1.1.layers.1");
  up_[1] = conv("up3.layers.1");
  up_[0] = conv("up4.layers.1");
  localisation_[3] = {conv("decoder_block1.0.conv1"), conv("decoder_block1.0.conv2")};
  localisation_[2] = {conv("localisation2.conv1"), conv("localisation2.conv2")};
  localisation_[1] = {conv("localisation3.conv1"), conv("localisation3.conv2")};
  segment_[2] = conv("segmentation1");
  segment_[1] = conv("segmentation2");
  final_wide_ = conv("final_conv.0");
  final_one_ = conv("final_conv.2");
}

Logits SeedUnet::forward(const at::Tensor& images, const DropoutMasks& dropout) const {
  const auto normalised = [](const at::Tensor& x) {
    return layers::activate(layers::instance_norm(x, {}, {}));
  };
  at::Tensor skip[kLevels];
  at::Tensor x = images;
  for (int i = 0; i < kLevels; ++i) {
    const Encoder& level = encoder_[i];
    x = layers::activate(level.enter(x, i == 0 ? 1 : 2));
    const at::Tensor inner = layers::drop_channels(normalised(level.context_1(x)), dropout, i);
    x = x + normalised(level.context_2(inner));
    skip[i] = x;
  }
  // The decoder has no non-linearity before its head: that is how the seed was written.
  Logits logits;
  for (int i = kLevels - 2; i >= 0; --i) {
    x = at::cat({up_[i](layers::upsample(x)), skip[i]}, 1);
    if (i == 0) break;
    x = localisation_[i].narrow(localisation_[i].wide(x));
    if (i == 2) logits.quarter = segment_[2](x);
    if (i == 1) logits.half = segment_[1](x) + layers::upsample(logits.quarter);
  }
  logits.full = final_one_(layers::activate(final_wide_(x))) + layers::upsample(logits.half);
  return logits;
}

}  // namespace unetseg
