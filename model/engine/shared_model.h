// SPDX-License-Identifier: MIT
// Loaded networks, each once in the process however many sessions run it.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>

#include "model/network/network.h"
#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"

namespace unetseg {

struct LoadedModel {
  ModelCard card;
  std::unique_ptr<Network> network;
};

// Reads and checks the weights, or finds them loaded: of the same file in the same state, on the
// same device, in the same type. They are freed with the last that holds them. A file that was
// written to or replaced is another file. Starts no threads. Any thread. Throws as make_engine().
// `read`: the file, where it has been read already.
std::shared_ptr<const LoadedModel> load_model(const std::string& file, const at::Device& device,
                                              at::ScalarType type,
                                              const SafetensorsFile* read = nullptr);

}  // namespace unetseg
