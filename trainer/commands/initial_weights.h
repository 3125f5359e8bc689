// SPDX-License-Identifier: MIT
// The weights that a new run begins with (--init).
#pragma once

#include <string>

#include "model/network/network.h"
#include "model/storage/model_card.h"
#include "trainer/train/config.h"

namespace unetseg::trainer {

// `base` with the width and the input size of the network in `path`: what a run has that begins
// with it and says nothing else. Throws as read_safetensors() and card_of() do.
Config shaped_like(const std::string& path, Config base);

class InitialWeights {
 public:
  // Reads config->init, sets config->init_sha256, and says on stderr what the run begins with.
  // Throws Error(settings) where the weights do not fit the run's network, and as
  // read_safetensors() does.
  explicit InitialWeights(Config* config);

  // For a run of this configuration, whose seed decides how narrower weights are widened.
  Parameters for_run(const Config& config) const;

 private:
  ModelCard card_;
  Parameters parameters_;
};

}  // namespace unetseg::trainer
