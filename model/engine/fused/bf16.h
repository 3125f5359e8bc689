// SPDX-License-Identifier: MIT
// From float to bfloat16 and back, one at a time.
#pragma once

#include <cstring>

#include "model/engine/fused/kernels.h"

namespace unetseg::fused {

// To the nearest, to even where two are; what is not a number stays none.
inline Bf16 to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<Bf16>(bits >> 16 | 0x40);
  return static_cast<Bf16>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline float from_bf16(Bf16 value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value) << 16;
  float wide;
  std::memcpy(&wide, &bits, sizeof wide);
  return wide;
}

}  // namespace unetseg::fused
