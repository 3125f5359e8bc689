// SPDX-License-Identifier: MIT
// Resampling along one axis: which source samples make each output sample, and how much of each.
#pragma once

#include <vector>

namespace unetseg {

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

// `size` luma pixels to `output` samples, from a plane that has `1 << shift` times fewer samples.
// A sample of a subsampled plane lies in the middle of its luma pixels, or on the first of them
// where `cosited`. Where an output sample covers more than one source sample, it is their mean over
// exactly that interval; elsewhere it is bilinear. Beyond its ends a plane repeats its last sample.
Axis make_axis(int size, int output, int shift, bool cosited);

}  // namespace unetseg
