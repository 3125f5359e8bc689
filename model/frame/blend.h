// SPDX-License-Identifier: MIT
// The inner loops of drawing: values moved toward other values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unetseg {

// round(product / 255) for a product of at most 255 * 255, in 16 bits and without a division.
constexpr std::uint8_t over_255(unsigned product) {
  const std::uint16_t t = static_cast<std::uint16_t>(product + 128);
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(t + (t >> 8)) >> 8);
}

// bytes[i] = round((bytes[i] * (255 - alpha[i]) + value[i] * alpha[i]) / 255)
void blend_bytes(std::uint8_t* bytes, const std::uint8_t* value, const std::uint8_t* alpha,
                 std::size_t n);

// The same for `n` values of 10 bits in the high bits of two bytes, the low byte first; the other
// six bits become 0.
void blend_10_bits(std::uint8_t* values, const std::uint8_t* value, const std::uint8_t* alpha,
                   std::size_t n);

// out[i] = round(alpha[i] * pixels[i] / 2^shift); pixels[i] is at most 2^shift, shift at most 8.
void scale_alpha(const std::uint8_t* alpha, const std::uint8_t* pixels, int shift,
                 std::uint8_t* out, std::size_t n);

}  // namespace unetseg
