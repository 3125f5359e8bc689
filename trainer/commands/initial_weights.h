// SPDX-License-Identifier: MIT
// The weights that a new run begins with (--init).
#pragma once

#include <string>

#include "model/network/network.h"
#include "trainer/train/config.h"

namespace unetseg::trainer {

// `base` with the width and the input size of the network in `path`: what a run has that begins
// with it and says nothing else. Throws as read_safetensors() and card_of() do.
Config shaped_like(const std::string& path, Config base);

// Reads config.init, widens it where the run's network is a wider improved-unet, and sets
// config->init_sha256. Says on stderr what the run begins with. Throws Error(settings) where the
// weights do not fit the run's network, and as read_safetensors() does.
Parameters initial_parameters(Config* config);

}  // namespace unetseg::trainer
