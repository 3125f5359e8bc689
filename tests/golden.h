// SPDX-License-Identifier: MIT
// Golden tensors from tests/reference.
#pragma once

#include <ATen/ATen.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "model/storage/safetensors.h"

#include "tests/relative_l2.h"

using Golden = std::map<std::string, at::Tensor>;

// tests/reference, of the source tree that was built or, where a program was carried elsewhere, as
// UNETSEG_REFERENCE_DIR says.
inline std::string reference_dir() {
  const char* set = std::getenv("UNETSEG_REFERENCE_DIR");
  return set != nullptr ? set : UNETSEG_REFERENCE_DIR;
}

// All tensors of a file in there, as float64.
inline Golden read_golden(const std::string& name) {
  unetseg::SafetensorsLimits limits;
  limits.weights_only = false;  // the goldens are float64
  const auto file = unetseg::read_safetensors(reference_dir() + "/" + name, limits);
  Golden golden;
  for (const unetseg::TensorEntry& entry : file.tensors) {
    const auto type = entry.dtype == unetseg::DType::f64 ? at::kDouble : at::kFloat;
    at::Tensor tensor = at::empty(entry.shape, type);
    std::memcpy(tensor.data_ptr(), file.data.data() + entry.offset, entry.bytes);
    golden[entry.name] = tensor.to(at::kDouble);
  }
  return golden;
}
