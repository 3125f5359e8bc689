// SPDX-License-Identifier: MIT
// A contour as chords, sorted into the strips of rows that a GPU draws.
#pragma once

#include <vector>

#include "model/frame/chord.h"
#include "model/mask/mask.h"

namespace unetseg {

// Chords that strip i may show are chords()[crossing()[k]] for k from starts()[i] to
// starts()[i + 1] - 1; strip i is the rows from i * strip_rows on. One object per thread; it keeps
// its memory.
class ChordStrips {
 public:
  explicit ChordStrips(int strip_rows) : strip_rows_(strip_rows) {}

  // Of the line that Contour::trace() draws, with pixels that lie closer to it than `reach`. Throws
  // std::bad_alloc.
  void trace(const ProbabilityView& probabilities, double threshold, int width, int height,
             double reach);
  // None at all.
  void clear(int height);

  const std::vector<Chord>& chords() const { return chords_; }
  const std::vector<int>& starts() const { return starts_; }
  const std::vector<int>& crossing() const { return crossing_; }
  // Strips [first, last) that have a chord; the same twice where there is none.
  Run strips() const;

 private:
  Run strips_of(const Chord& chord, int height, double reach) const;

  const int strip_rows_;
  std::vector<Segment> segments_;
  std::vector<Chord> chords_;
  std::vector<int> starts_, crossing_;
};

}  // namespace unetseg
