// SPDX-License-Identifier: MIT
// Packed networks, each once in the process however many sessions run it.
#pragma once

#include <memory>
#include <string>

#include "model/engine/fused/packed_network.h"
#include "model/storage/model_card.h"
#include "model/storage/safetensors.h"

namespace unetseg::fused {

struct FusedModel {
  ModelCard card;
  std::shared_ptr<const PackedNetwork> network;  // null: not an architecture of this engine
};

// Reads, checks and packs the weights, or finds them packed: of the same file in the same state for
// the same kernels. Freed with the last that holds them. Starts no threads. Any thread. Throws as
// make_engine().
// `read`: the file, where it has been read already.
std::shared_ptr<const FusedModel> load_fused_model(const std::string& file, const Kernels& kernels,
                                                   const SafetensorsFile* read = nullptr);

}  // namespace unetseg::fused
