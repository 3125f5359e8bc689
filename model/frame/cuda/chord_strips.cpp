// SPDX-License-Identifier: MIT
#include "model/frame/cuda/chord_strips.h"

#include <algorithm>

namespace unetseg {

void ChordStrips::clear(int height) {
  chords_.clear();
  crossing_.clear();
  starts_.assign(static_cast<std::size_t>((height + strip_rows_ - 1) / strip_rows_ + 1), 0);
}

void ChordStrips::trace(const ProbabilityView& probabilities, double threshold, int width,
                        int height, double reach) {
  clear(height);
  trace_level_line(probabilities, threshold, width, height, segments_);
  for (const Segment& segment : segments_) chords_.push_back(chord_of(segment));

  // Each strip's number of chords, one place on; then where they begin; then, as the strips are
  // filled, where they end, which is where the next begin.
  for (const Chord& chord : chords_) {
    const Run strips = strips_of(chord, height, reach);
    for (int i = strips.first; i < strips.last; ++i) ++starts_[static_cast<std::size_t>(i) + 1];
  }
  int total = 0;
  for (int& start : starts_) {
    const int count = start;
    start = total;
    total += count;
  }
  // Now starts_[i + 1] is where strip i begins.
  crossing_.resize(static_cast<std::size_t>(total));
  for (std::size_t k = 0; k < chords_.size(); ++k) {
    const Run strips = strips_of(chords_[k], height, reach);
    for (int i = strips.first; i < strips.last; ++i)
      crossing_[static_cast<std::size_t>(starts_[static_cast<std::size_t>(i) + 1]++)] =
          static_cast<int>(k);
  }
}

Run ChordStrips::strips_of(const Chord& chord, int height, double reach) const {
  // Rows whose centres are closer, and one more on each side.
  const double first = std::max(chord.top - reach - 1, 0.0);
  const double last = std::min(chord.bottom + reach + 1, static_cast<double>(height));
  if (first >= last) return {0, 0};
  const int strips = static_cast<int>(starts_.size()) - 1;
  return {static_cast<int>(first) / strip_rows_,
          std::min(static_cast<int>(last) / strip_rows_ + 1, strips)};
}

Run ChordStrips::strips() const {
  int first = 0, last = static_cast<int>(starts_.size()) - 1;
  const auto is_empty = [this](int i) {
    return starts_[static_cast<std::size_t>(i)] == starts_[static_cast<std::size_t>(i) + 1];
  };
  while (first < last && is_empty(first)) ++first;
  while (first < last && is_empty(last - 1)) --last;
  return {first, last};
}

}  // namespace unetseg
