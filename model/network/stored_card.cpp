// SPDX-License-Identifier: MIT
#include "model/network/stored_card.h"

namespace unetseg {

std::string architecture_of(const SafetensorsFile& file) {
  if (file.find("encoder.0.down.conv.weight")) return "improved-unet";
  if (file.find("encoder_block1.0.weight")) return "seed-unet";
  return "";
}

ModelCard card_of(const SafetensorsFile& file) {
  const std::string hint = architecture_of(file);
  ModelCard card = from_metadata(file.metadata, hint);
  if (!file.metadata.count("base_width")) {
    const TensorEntry* first =
        file.find(card.architecture == "seed-unet" ? "encoder_block1.0.weight"
                                                   : "encoder.0.down.conv.weight");
    if (first != nullptr && !first->shape.empty())
      card.base_width = static_cast<int>(first->shape[0]);
  }
  return card;
}

}  // namespace unetseg
