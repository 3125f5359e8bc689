// SPDX-License-Identifier: MIT
// From a precision that was asked for to LibTorch's number type.
#pragma once

#include <ATen/ATen.h>

#include "model/backend/backend.h"

namespace unetseg {

// "auto" is float16 on a GPU whose half precision our kernels use, float32 anywhere else. Throws
// Error(settings).
at::ScalarType number_type_of(UnetsegPrecision precision, const at::Device& device);

// "fp32", "bf16" or "fp16".
const char* precision_name(at::ScalarType type);

}  // namespace unetseg
