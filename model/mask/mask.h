// SPDX-License-Identifier: MIT
// From the network's probabilities to a mask of any size: one path for the element and `evaluate`.
#pragma once

#include <cstdint>
#include <vector>

namespace unetseg {

// Clean-up at the network's resolution, before anything is enlarged.
struct CleanUp {
  bool largest_only = false;  // keep the largest 8-connected region
  bool fill_holes = false;    // fill background regions that do not touch the border
  double min_area = 0;        // drop regions below this fraction of the picture, 0..1
};

// A probability map: row-major, values 0..1, `width` x `height`, borrowed.
struct ProbabilityView {
  const float* data;
  int width, height;
};

// Edits `probabilities` in place so that thresholding them gives the cleaned mask: a removed pixel
// drops just below `threshold`, a filled one rises to at least `threshold`; others stay. Object
// holds the scratch memory, so that a call on a size seen before allocates nothing of ours.
// One object per thread. Uses OpenCV's connected components.
class Cleaner {
 public:
  Cleaner();
  ~Cleaner();
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;
  void clean(float* probabilities, int width, int height, double threshold, const CleanUp& how);

 private:
  struct Scratch;
  Scratch* scratch_;
};

// Enlarges (or shrinks) a probability map bilinearly, pixel centres at half-integers, edges
// clamped, one output row at a time. `configure` allocates; `row` does not.
class Upsampler {
 public:
  void configure(const ProbabilityView& source, int width, int height);
  // Row y of the output: `width` floats, 0..1. Rows may be asked for in any order; ascending order
  // is fastest. The source given to `configure` must still be valid.
  const float* row(int y);
  // Smallest range of output rows [first, last) outside which no pixel reaches `threshold`
  // (conservative: rows inside the range need not reach it).
  void rows_reaching(double threshold, int* first, int* last) const;
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  ProbabilityView source_{nullptr, 0, 0};
  int width_ = 0, height_ = 0;
  int blended_row_ = -1;
  std::vector<int> column_;
  std::vector<float> column_weight_, blended_, row_;
};

// The mask at `width` x `height`: 255 where the enlarged probability is >= threshold, 0 elsewhere.
// `mask` has rows of `stride` bytes.
void mask_from_probabilities(Upsampler& upsampler, double threshold, std::uint8_t* mask, int stride);

}  // namespace unetseg
