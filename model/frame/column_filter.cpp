// SPDX-License-Identifier: MIT
#include "model/frame/column_filter.h"

#include <algorithm>

#include "model/frame/clones.h"

namespace unetseg {
namespace {

// Sums that run side by side: whole vectors, and whole samples of any step that it is for.
constexpr int lanes(int step) {
  return step == 3 ? 12 : 8;
}

template <int kStep>
UNETSEG_INLINE void run_steps(const Taps& taps, const float* row, float scale,
                              float* const out[4]) {
  constexpr int kLanes = lanes(kStep);
  const float* weight = taps.weight;
  for (std::size_t i = 0; i < taps.outputs; ++i, weight += taps.count) {
    const float* value = row + taps.first[i];
    float sum[kLanes] = {};
    for (std::size_t tap = 0; tap < taps.count; tap += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        sum[lane] += weight[tap + lane] * value[tap + lane];
    for (int c = 0; c < kStep; ++c) {
      float total = sum[c];
      for (int lane = c + kStep; lane < kLanes; lane += kStep) total += sum[lane];
      out[c][i] = total * scale;
    }
  }
}

UNETSEG_CLONES void run_single(const Taps& taps, const float* row, float scale,
                               float* const out[4]) {
  run_steps<1>(taps, row, scale, out);
}

UNETSEG_CLONES void run_pairs(const Taps& taps, const float* row, float scale,
                              float* const out[4]) {
  run_steps<2>(taps, row, scale, out);
}

UNETSEG_CLONES void run_triples(const Taps& taps, const float* row, float scale,
                                float* const out[4]) {
  run_steps<3>(taps, row, scale, out);
}

UNETSEG_CLONES void run_quadruples(const Taps& taps, const float* row, float scale,
                                   float* const out[4]) {
  run_steps<4>(taps, row, scale, out);
}

}  // namespace

ColumnFilter::ColumnFilter(const Axis& axis, int step)
    : run_(step == 1   ? run_single
           : step == 2 ? run_pairs
           : step == 3 ? run_triples
                       : run_quadruples),
      scale_(axis.scale) {
  int longest = 0;
  for (const Span& span : axis.spans) longest = std::max(longest, span.count);
  // One number of taps for all: spans differ by a sample or two, which no branch predictor likes.
  const std::size_t width = static_cast<std::size_t>(step);
  const std::size_t block = static_cast<std::size_t>(lanes(step));
  taps_ = (static_cast<std::size_t>(longest) * width + block - 1) / block * block;
  first_.reserve(axis.spans.size());
  weight_.resize(axis.spans.size() * taps_);
  float* weight = weight_.data();
  for (const Span& span : axis.spans) {
    const std::size_t count = static_cast<std::size_t>(span.count);
    first_.push_back(static_cast<std::size_t>(span.first) * width);
    std::fill_n(weight, count * width, 1.f);
    std::fill_n(weight + (count - 1) * width, width, span.tail);
    std::fill_n(weight, width, span.head);
    weight += taps_;
  }
}

void ColumnFilter::run(const float* row, float scale, float* const out[4]) const {
  run_({first_.size(), taps_, first_.data(), weight_.data()}, row, scale * scale_, out);
}

}  // namespace unetseg
