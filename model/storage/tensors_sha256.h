// SPDX-License-Identifier: MIT
// The checksum of tensors, wherever their bytes lie.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/storage/safetensors.h"

namespace unetseg {

// 64 hexadecimal digits, the same whatever order the tensors come in. For each tensor, in bytewise
// order of the names, SHA-256 is fed the name's length in decimal, a colon, the name, a space, the
// dtype, a space, the dimensions in decimal with commas between them, a newline, and the bytes
// ("3:abc F32 2,3\n" and 24 bytes). Two different sets of tensors cannot give the same input.
// Shapes must be possible, as bytes_of() says.
std::string sha256_of_tensors(const std::vector<TensorToWrite>& tensors);

// How many bytes a tensor has; nothing for a negative dimension or more than can be counted.
std::optional<std::size_t> bytes_of(const TensorToWrite& tensor);

}  // namespace unetseg
