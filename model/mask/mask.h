// SPDX-License-Identifier: MIT
// From the network's probabilities to a mask of any size: one path for the element and `evaluate`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/mask/frame_part.h"
#include "model/mask/regions.h"

namespace unetseg {

// Clean-up at the network's resolution, before anything is enlarged.
struct CleanUp {
  bool largest_only = false;  // keep the largest 8-connected region
  bool fill_holes = false;    // fill background regions that do not touch the border
  double min_area = 0;        // drop regions below this fraction of the picture, from 0
  double min_confidence = 0;  // drop all where less Dice is to be expected of what is left

  bool asks_for_anything() const {
    return largest_only || fill_holes || min_area > 0 || min_confidence > 0;
  }
  bool operator==(const CleanUp& other) const {
    return largest_only == other.largest_only && fill_holes == other.fill_holes &&
           min_area == other.min_area && min_confidence == other.min_confidence;
  }
};

// What a clean-up of the whole frame is to a map of a part of it.
inline CleanUp of_part(CleanUp frame, const FramePart& part) {
  frame.min_area /= part.area();
  return frame;
}

// A probability map: row-major, values 0..1, `width` x `height`, borrowed. `part` is what it shows
// of a frame, whatever the frame's size: outside of it there is no lesion.
struct ProbabilityView {
  const float* data;
  int width, height;
  FramePart part = {};
};

// The smallest float that reaches `threshold`, so that comparing floats decides as doubles would.
float reaching_level(double threshold);

// Edits `probabilities` in place so that thresholding them gives the cleaned mask: a removed pixel
// drops just below `threshold`, a filled one rises to it; others stay. Regions are chosen by their
// area before holes are filled, and the confidence (expected_dice) is of the mask after both.
// Object holds the scratch memory, so that a call on a size seen before allocates nothing. One
// object per thread. Throws Error(no_space) where memory is not to be had.
class Cleaner {
 public:
  void clean(float* probabilities, int width, int height, double threshold, const CleanUp& how);

 private:
  void drop_small_regions(int width, int height, const CleanUp& how);
  void fill_holes(int width, int height);

  std::vector<std::uint8_t> mask_;  // 1 is lesion
  Regions regions_;
};

// Enlarges (or shrinks) a probability map bilinearly to a frame's size, pixel centres at
// half-integers, edges clamped, one output row at a time. Pixels whose centres are outside of the
// map's part of the frame are 0, and no run has them whatever the threshold. `configure` allocates
// where a size changed and throws Error(no_space) where it cannot; nothing else does. One object
// per thread.
class Upsampler {
 public:
  // Size of the frame in pixels, at least 1 x 1.
  void configure(const ProbabilityView& source, int width, int height);
  // Row y of the output: `width` floats, 0..1. Rows may be asked for in any order; ascending order
  // is fastest. The source given to `configure` must still be valid.
  const float* row(int y);
  // Where row y reaches `threshold`, from left to right. Much cheaper than the row itself: only
  // pixels next to a crossing are interpolated. Cheapest in ascending order with one threshold.
  const std::vector<Run>& runs_reaching(int y, double threshold);
  // Range of output rows [first, last) outside which no pixel reaches `threshold`
  // (conservative: rows inside the range need not reach it).
  void rows_reaching(double threshold, int* first, int* last) const;
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  struct SourceRows;
  SourceRows source_rows(int y) const;
  void find_crossings(const SourceRows& rows, float level);

  ProbabilityView source_{nullptr, 0, 0};
  int width_ = 0, height_ = 0;
  PlacedAxis down_{{}, 1, 1};
  Run columns_{0, 0}, rows_{0, 0};    // those of the map's part
  std::vector<int> first_pixel_;      // of those whose left neighbour is each source column
  std::vector<float> column_weight_;  // for each output column, of its right neighbour
  std::vector<float> blended_;        // one row, enlarged downwards only
  std::vector<float> row_;
  std::vector<Run> runs_;

  // Source columns whose right neighbour lies across a level, in one of two rows or between them.
  std::vector<int> crossings_;
  const float *above_ = nullptr, *below_ = nullptr;  // what crossings_ is for
  float level_ = 0;
};

// The mask at the upsampler's size: 255 where the enlarged probability is >= threshold, 0
// elsewhere. `mask` has rows of `stride` bytes, which may be negative; bytes between rows are left
// alone.
void mask_from_probabilities(Upsampler& upsampler, double threshold, std::uint8_t* mask,
                             std::ptrdiff_t stride);

}  // namespace unetseg
