// SPDX-License-Identifier: MIT
// Resampling along one axis: which source samples make each output sample, and how much of each.
#pragma once

#include <cstdint>
#include <vector>

namespace unetseg {

// Units of a pixel, in which positions between pixels are exact.
constexpr int kSubpixels = 256;

// Part of an axis, in 1 / kSubpixels of a luma pixel.
struct Interval {
  std::int64_t first, length;

  bool operator==(const Interval& other) const {
    return first == other.first && length == other.length;
  }
};

inline Interval whole_axis(int pixels) {
  return {0, std::int64_t{pixels} * kSubpixels};
}

// Samples first .. first + count - 1: the first weighs `head`, the last `tail`, those between 1.
// With a count of 1 the tail is 0.
struct Span {
  int first, count;
  float head, tail;
};

struct Axis {
  std::vector<Span> spans;  // one for each output sample
  float scale;              // of a span's weighted sum
};

// The part `source` of `size` luma pixels to `output` samples, from a plane that has `1 << shift`
// times fewer samples. A sample of a subsampled plane lies in the middle of its luma pixels, or on
// the first of them where `cosited`. Where an output sample covers more than one source sample, it
// is their mean over exactly that interval; elsewhere it is bilinear. Beyond its ends a plane
// repeats its last sample.
Axis make_axis(const Interval& source, int size, int output, int shift, bool cosited);

}  // namespace unetseg
