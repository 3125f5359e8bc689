// SPDX-License-Identifier: MIT
// Between float32 and the narrow and wide floats of a weights file, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/storage/safetensors.h"

namespace unetseg {

// Every half and bfloat16 value has an exact float32; a NaN stays a NaN.
float half_to_float(std::uint16_t half);
float bfloat16_to_float(std::uint16_t bfloat16);

// To the nearest half, ties to even, subnormals included. From 65520 on the result is infinite.
std::uint16_t float_to_half(float value);

// `count` values of type f16, bf16, f32 or f64 to float32. `from` needs no alignment. A double
// beyond float32's range becomes infinite. Throws Error(settings) for other types.
void to_float32(DType dtype, const void* from, std::size_t count, float* to);

// `count` values to halves. Returns how many finite values became infinite: what to do about them
// is the caller's business.
std::size_t to_half(const float* from, std::size_t count, std::uint16_t* to);

}  // namespace unetseg
