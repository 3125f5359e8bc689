// SPDX-License-Identifier: MIT
// What reading and writing share: types, look-up, checksum.
#include "model/storage/safetensors.h"

#include <algorithm>

#include "model/storage/tensors_sha256.h"

namespace unetseg {

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
    case DType::bf16:
      return 2;
    case DType::u8:
      break;
  }
  return 1;
}

const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "F64";
    case DType::f32:
      return "F32";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
    case DType::i64:
      return "I64";
    case DType::i32:
      return "I32";
    case DType::u8:
      break;
  }
  return "U8";
}

const TensorEntry* SafetensorsFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const TensorEntry& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

std::string tensors_sha256(const SafetensorsFile& file) {
  std::vector<TensorToWrite> tensors;
  for (const TensorEntry& entry : file.tensors)
    tensors.push_back({entry.name, entry.dtype, entry.shape, file.data.data() + entry.offset});
  return sha256_of_tensors(tensors);
}

void rehash_safetensors(const std::string& path) {
  SafetensorsLimits limits;
  limits.weights_only = false;
  limits.verify_sha256 = false;
  const SafetensorsFile file = read_safetensors(path, limits);
  std::vector<TensorToWrite> tensors;
  for (const TensorEntry& entry : file.tensors)
    tensors.push_back({entry.name, entry.dtype, entry.shape, file.data.data() + entry.offset});
  write_safetensors(path, tensors, file.metadata);
}

}  // namespace unetseg
