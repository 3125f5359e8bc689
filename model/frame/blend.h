// SPDX-License-Identifier: MIT
// The inner loops of drawing: values moved toward an ink.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unetseg {

// An ink as a row of samples meets it: values and alphas, repeated for whole samples of 1 to 4
// values. Alpha is 0 where a sample's value is not painted.
struct InkPattern {
  static constexpr std::size_t kValues = 48;
  std::uint16_t value[kValues];  // codes
  std::uint16_t alpha[kValues];  // 0..255
};

// For values of one depth. Both begin with the first value of a sample and move each value v to
// round((v * (255 - a) + value * a) / 255), where a is `alpha` times the coverage.
struct Blends {
  // `n` values, covered whole.
  void (*fill)(std::uint8_t* values, const InkPattern& ink, std::size_t n);
  // `n` samples of `step` values, each with its own coverage of 0..255; a is rounded.
  void (*cover)(std::uint8_t* values, const InkPattern& ink, int step, const std::uint8_t* coverage,
                std::size_t n);
};

// For values of 8 bits, or of 10 in the high bits of two bytes, the low byte first: the other six
// bits become 0.
const Blends& blends(int depth);

}  // namespace unetseg
