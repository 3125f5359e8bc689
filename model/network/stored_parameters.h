// SPDX-License-Identifier: MIT
// Between a weights file's bytes and the network's tensors.
#pragma once

#include <string>

#include "model/network/network.h"
#include "model/network/stored_card.h"

namespace unetseg {

// Copies of all tensors as float32 on the CPU. Throws Error(settings) where one has integers.
Parameters parameters_of(const SafetensorsFile& file);

// Writes parameters (any device) with their card, in half precision or float32. Throws as
// write_safetensors() does, and Error(bad_result) where a value does not fit half precision.
void save_parameters(const std::string& path, const Parameters& parameters, const ModelCard& card,
                     bool half_precision);

}  // namespace unetseg
