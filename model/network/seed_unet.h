// SPDX-License-Identifier: MIT
// `seed-unet`: the student's implementation that this project began from, so that its weights run.
#pragma once

#include "model/network/layers.h"

namespace unetseg {

class SeedUnet : public Network {
 public:
  explicit SeedUnet(const Parameters& parameters);
  Logits forward(const at::Tensor& images, const DropoutMasks& dropout) const override;

 private:
  struct Encoder {
    layers::Conv enter, context_1, context_2;
  };
  struct Localisation {
    layers::Conv wide, narrow;
  };
  Encoder encoder_[kLevels];
  layers::Conv up_[kLevels - 1];            // by the level that they lead to
  Localisation localisation_[kLevels - 1];  // likewise; none at level 0
  layers::Conv segment_[kLevels - 1];       // levels 1 and 2
  layers::Conv final_wide_, final_one_;
};

}  // namespace unetseg
