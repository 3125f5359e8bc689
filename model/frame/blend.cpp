// SPDX-License-Identifier: MIT
#include "model/frame/blend.h"

#include <cstring>

#include <glib.h>

namespace unetseg {
namespace {

unsigned load_10_bits(const std::uint8_t* bytes) {
  std::uint16_t word;  // not aligned in memory
  std::memcpy(&word, bytes, sizeof word);
  return GUINT16_FROM_LE(word) >> 6;
}

void store_10_bits(std::uint8_t* bytes, unsigned value) {
  const std::uint16_t word = GUINT16_TO_LE(static_cast<std::uint16_t>(value << 6));
  std::memcpy(bytes, &word, sizeof word);
}

}  // namespace

void blend_bytes(std::uint8_t* __restrict bytes, const std::uint8_t* __restrict value,
                 const std::uint8_t* __restrict alpha, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint16_t keep = static_cast<std::uint16_t>(bytes[i] * (255 - alpha[i]));
    const std::uint16_t add = static_cast<std::uint16_t>(value[i] * alpha[i]);
    bytes[i] = over_255(static_cast<std::uint16_t>(keep + add));
  }
}

void blend_10_bits(std::uint8_t* __restrict values, const std::uint8_t* __restrict value,
                   const std::uint8_t* __restrict alpha, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const unsigned keep = load_10_bits(values + 2 * i) * (255u - alpha[i]);
    const unsigned add = load_10_bits(value + 2 * i) * alpha[i];
    store_10_bits(values + 2 * i, (keep + add + 127) / 255);
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
