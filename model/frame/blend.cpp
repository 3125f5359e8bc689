// SPDX-License-Identifier: MIT
#include "model/frame/blend.h"

namespace unetseg {

void blend_bytes(std::uint8_t* __restrict bytes, const std::uint8_t* __restrict value,
                 const std::uint8_t* __restrict alpha, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t keep = static_cast<std::uint16_t>(bytes[i] * (255 - alpha[i]));
    const std::uint16_t add = static_cast<std::uint16_t>(value[i] * alpha[i]);
    bytes[i] = over_255(static_cast<std::uint16_t>(keep + add));
  }
}

void scale_alpha(const std::uint8_t* alpha, const std::uint8_t* pixels, int shift,
                 std::uint8_t* __restrict out, std::size_t n) {
  const std::uint16_t half = static_cast<std::uint16_t>((1 << shift) / 2);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t product = static_cast<std::uint16_t>(alpha[i] * pixels[i]);
    out[i] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(product + half) >> shift);
  }
}

}  // namespace unetseg
