// SPDX-License-Identifier: MIT
// Between a weights file's bytes and the network's tensors.
#pragma once

#include <string>

#include "model/network/network.h"
#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"

namespace unetseg {

// What the tensors' own names tell: "improved-unet", "seed-unet", or "" where neither fits.
std::string architecture_of(const SafetensorsFile& file);

// The card of a file, completed from its tensors where it has no metadata (a checkpoint that a user
// converted from Python). Throws Error(settings).
ModelCard card_of(const SafetensorsFile& file);

// Copies of all tensors as float32 on the CPU. Throws Error(settings) where one has integers.
Parameters parameters_of(const SafetensorsFile& file);

// Writes parameters (any device) with their card, in half precision or float32. Throws as
// write_safetensors() does, and Error(bad_result) where a value does not fit half precision.
void save_parameters(const std::string& path, const Parameters& parameters, const ModelCard& card,
                     bool half_precision);

}  // namespace unetseg
