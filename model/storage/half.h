// SPDX-License-Identifier: MIT
// Between float32 and the narrow and wide floats of a weights file, without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/storage/safetensors.h"

namespace unetseg {

// Every half and bfloat16 value has an exact float32; a NaN stays a NaN.
float half_to_float(std::uint16_t half);
inline float bfloat16_to_float(std::uint16_t bfloat16) {
  const std::uint32_t bits = std::uint32_t{bfloat16} << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// To the nearest bfloat16, ties to even; beyond the largest it is infinite. A NaN stays a NaN.
inline std::uint16_t float_to_bfloat16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

// To the nearest half, ties to even, subnormals included. From 65520 on the result is infinite.
std::uint16_t float_to_half(float value);

// `count` values of type f16, bf16, f32 or f64 to float32. `from` needs no alignment. A double
// beyond float32's range becomes infinite. Throws Error(settings) for other types.
void to_float32(DType dtype, const void* from, std::size_t count, float* to);

// `count` values to halves. Returns how many finite values became infinite: what to do about them
// is the caller's business.
std::size_t to_half(const float* from, std::size_t count, std::uint16_t* to);

}  // namespace unetseg
