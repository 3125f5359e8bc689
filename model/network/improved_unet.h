// SPDX-License-Identifier: MIT
// `improved-unet`: the 2D form of Isensee et al. 2017 (arXiv 1802.10508).
#pragma once

#include "model/network/layers.h"

namespace unetseg {

class ImprovedUnet : public Network {
 public:
  explicit ImprovedUnet(const Parameters& parameters);
  Logits forward(const at::Tensor& images, const DropoutMasks& dropout) const override;

 private:
  // Convolution without bias, affine InstanceNorm, LeakyReLU.
  struct Cnl {
    layers::Conv conv;
    at::Tensor norm_weight, norm_bias;
    at::Tensor operator()(const at::Tensor& x, int stride = 1) const;
    // Times `factors`, N x C, and plus `added`, where they are defined.
    at::Tensor operator()(const at::Tensor& x, const at::Tensor& factors, const at::Tensor& added,
                          int stride = 1) const;
  };
  struct Encoder {
    Cnl down, context_a, context_b;
  };
  struct Decoder {
    Cnl up, merge, reduce;  // `reduce` is unused at level 0
    layers::Conv segment;   // unused at level 3
  };
  static Cnl cnl(const Parameters& parameters, const std::string& name);
  static at::Tensor segment(const layers::Conv& conv, const at::Tensor& x);

  Encoder encoder_[kLevels];
  Decoder decoder_[kLevels - 1];
};

}  // namespace unetseg
