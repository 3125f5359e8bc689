// SPDX-License-Identifier: MIT
// The header of a safetensors file: from JSON text to tensors that provably fill the file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/storage/safetensors.h"

namespace unetseg {

// Where the header's JSON begins: after its length, a u64.
constexpr std::size_t kHeaderStart = 8;

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> tensors;  // in the order of their offsets
};

// `json` is the header, `data_bytes` the size of what follows it in the file. Every entry of the
// result lies within `data_bytes`, and together they cover each byte exactly once. Memory is a
// small multiple of `json`. `path` is for messages. Throws Error(read), and Error(settings) for a
// dtype that the format knows and `limits` or this program do not allow.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const SafetensorsLimits& limits,
                                           const std::string& path);

}  // namespace unetseg
