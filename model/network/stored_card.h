// SPDX-License-Identifier: MIT
// What a weights file says about the network in it. Needs no LibTorch.
#pragma once

#include <string>

#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"

namespace unetseg {

// What the tensors' own names tell: "improved-unet", "seed-unet", or "" where neither fits.
std::string architecture_of(const SafetensorsFile& file);

// The card of a file, completed from its tensors where it has no metadata (a checkpoint that a user
// converted from Python). Throws Error(settings).
ModelCard card_of(const SafetensorsFile& file);

}  // namespace unetseg
