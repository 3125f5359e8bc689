// SPDX-License-Identifier: MIT
#include "model/frame/blend.h"

#include <algorithm>
#include <cstring>

#include <glib.h>

#include "model/frame/clones.h"

namespace unetseg {
namespace {

struct Bytes {
  using Sum = std::uint16_t;  // holds 255 of the largest values, and a little more
  static constexpr std::size_t kSize = 1;
  static UNETSEG_INLINE std::uint16_t load(const std::uint8_t* at) { return *at; }
  static UNETSEG_INLINE void store(std::uint8_t* at, Sum value) {
    *at = static_cast<std::uint8_t>(value);
  }
  // round(sum / 255) without a division, which vectors do not have.
  static UNETSEG_INLINE Sum over_255(Sum sum) {
    const Sum t = static_cast<Sum>(sum + 128);
    return static_cast<Sum>(static_cast<Sum>(t + (t >> 8)) >> 8);
  }
};

struct TenBits {
  using Sum = std::uint32_t;
  static constexpr std::size_t kSize = 2;
  static UNETSEG_INLINE std::uint16_t load(const std::uint8_t* at) {
    std::uint16_t word;  // not aligned in memory
    std::memcpy(&word, at, sizeof word);
    return static_cast<std::uint16_t>(GUINT16_FROM_LE(word) >> 6);
  }
  static UNETSEG_INLINE void store(std::uint8_t* at, Sum value) {
    const std::uint16_t word = GUINT16_TO_LE(static_cast<std::uint16_t>(value << 6));
    std::memcpy(at, &word, sizeof word);
  }
  static UNETSEG_INLINE Sum over_255(Sum sum) {
    const Sum t = sum + 127;  // the rest is exact for whatever two values of 10 bits make
    return (t + 1 + ((t + (t >> 8)) >> 8)) >> 8;
  }
};

// The product of two values, in as many bits as a sum has: a multiplication that vectors have.
template <typename Values>
UNETSEG_INLINE typename Values::Sum times(std::uint16_t a, std::uint16_t b) {
  using Sum = typename Values::Sum;
  return static_cast<Sum>(static_cast<Sum>(a) * static_cast<Sum>(b));
}

// What a pattern makes of any value: (value * keep + add) / 255.
template <typename Values>
struct Fill {
  std::uint16_t keep[InkPattern::kValues];
  typename Values::Sum add[InkPattern::kValues];
};

// `n` is at most a pattern's values.
template <typename Values>
UNETSEG_INLINE void fill_pattern(std::uint8_t* values, const Fill<Values>& fill, std::size_t n) {
  using Sum = typename Values::Sum;
  for (std::size_t k = 0; k < n; ++k) {
    std::uint8_t* at = values + k * Values::kSize;
    const Sum sum = static_cast<Sum>(times<Values>(Values::load(at), fill.keep[k]) + fill.add[k]);
    Values::store(at, Values::over_255(sum));
  }
}

template <typename Values>
UNETSEG_INLINE void fill_values(std::uint8_t* values, const InkPattern& ink, std::size_t n) {
  constexpr std::size_t kValues = InkPattern::kValues;
  Fill<Values> fill;
  for (std::size_t k = 0; k < kValues; ++k) {
    fill.keep[k] = static_cast<std::uint16_t>(255 - ink.alpha[k]);
    fill.add[k] = times<Values>(ink.value[k], ink.alpha[k]);
  }
  for (; n >= kValues; n -= kValues, values += kValues * Values::kSize)
    fill_pattern(values, fill, kValues);
  fill_pattern(values, fill, n);
}

template <typename Values, int kStep>
UNETSEG_INLINE void cover_steps(std::uint8_t* values, const InkPattern& ink,
                                const std::uint8_t* coverage, std::size_t n) {
  using Sum = typename Values::Sum;
  std::uint16_t value[kStep], alpha[kStep];  // in no memory that is written to
  std::copy_n(ink.value, kStep, value);
  std::copy_n(ink.alpha, kStep, alpha);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < kStep; ++k) {
      std::uint8_t* at = values + (i * kStep + k) * Values::kSize;
      const std::uint16_t part = Bytes::over_255(times<Bytes>(coverage[i], alpha[k]));
      const Sum keep = times<Values>(Values::load(at), static_cast<std::uint16_t>(255 - part));
      Values::store(at, Values::over_255(static_cast<Sum>(keep + times<Values>(value[k], part))));
    }
}

template <typename Values>
UNETSEG_INLINE void cover_values(std::uint8_t* values, const InkPattern& ink, int step,
                                 const std::uint8_t* coverage, std::size_t n) {
  switch (step) {
    case 1:
      return cover_steps<Values, 1>(values, ink, coverage, n);
    case 2:
      return cover_steps<Values, 2>(values, ink, coverage, n);
    case 3:
      return cover_steps<Values, 3>(values, ink, coverage, n);
    default:
      return cover_steps<Values, 4>(values, ink, coverage, n);
  }
}

void fill_bytes(std::uint8_t* values, const InkPattern& ink, std::size_t n) {
  fill_values<Bytes>(values, ink, n);
}

UNETSEG_CLONES void fill_10_bits(std::uint8_t* values, const InkPattern& ink, std::size_t n) {
  fill_values<TenBits>(values, ink, n);
}

void cover_bytes(std::uint8_t* values, const InkPattern& ink, int step,
                 const std::uint8_t* coverage, std::size_t n) {
  cover_values<Bytes>(values, ink, step, coverage, n);
}

void cover_10_bits(std::uint8_t* values, const InkPattern& ink, int step,
                   const std::uint8_t* coverage, std::size_t n) {
  cover_values<TenBits>(values, ink, step, coverage, n);
}

}  // namespace

const Blends& blends(int depth) {
  static const Blends bytes = {fill_bytes, cover_bytes};
  static const Blends ten_bits = {fill_10_bits, cover_10_bits};
  return depth == 8 ? bytes : ten_bits;
}

}  // namespace unetseg
