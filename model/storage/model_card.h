// SPDX-License-Identifier: MIT
// What a weights file says about itself: everything a program needs to run it as it was trained.
#pragma once

#include <map>
#include <string>

#include "model/backend/backend.h"
#include "model/frame/sampler.h"
#include "model/mask/mask.h"

namespace unetseg {

// The part of `__metadata__` that programs act on. Everything else (data, split, recipe, scores,
// trainer's version, licence, intended use) travels in `notes` as plain text.
struct ModelCard {
  std::string architecture = "improved-unet";  // or "seed-unet"
  int base_width = 16;                         // channels of the first level
  int input_width = 128, input_height = 128;   // multiples of 16, at least 32
  UnetsegFit fit = UNETSEG_FIT_STRETCH;        // how a frame becomes the input; not FIT_MODEL
  Normalisation normalisation;
  double threshold = 0.5;
  CleanUp clean_up;
  std::string name;    // "unetseg-fast"; may be empty
  std::string sha256;  // of the tensors, hexadecimal; empty where the file has none
  std::map<std::string, std::string> notes;
};

// "stretch", "letterbox" or "crop".
const char* fit_name(UnetsegFit fit);

// Metadata key -> text, as it stands in the file (key "format_version" is "1"); FORMAT.md lists the
// keys. Numbers are written so that they read back exactly. A note under the key of a field is left
// out.
std::map<std::string, std::string> to_metadata(const ModelCard& card);

// Throws Error(settings) naming the key where something is missing, malformed, out of range, or of
// an unknown version or architecture. A file without any of these keys, as users convert them from
// Python, is accepted where `architecture_hint` tells what it is ("seed-unet" or "improved-unet")
// and gets the defaults above.
ModelCard from_metadata(const std::map<std::string, std::string>& metadata,
                        const std::string& architecture_hint);

}  // namespace unetseg
