// SPDX-License-Identifier: MIT
// Blends a fill and a contour into one plane of a frame, row by row, whatever the plane holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/frame/formats.h"
#include "model/mask/mask.h"

namespace unetseg {

// A colour in a frame's own components, with straight alpha.
struct Ink {
  std::uint8_t value[3];
  std::uint8_t alpha;
};

// Every plane is bytes: a repeating pattern of components, some with no ink (alpha, padding). A
// byte moves toward the ink's pattern by ink alpha times coverage. Where the plane is subsampled, a
// sample's coverage is the mean over its pixels that lie in the frame.
class PlanePainter {
 public:
  // Allocates for the frame's size; throws std::bad_alloc.
  PlanePainter(const UnetsegFrame& frame, int plane);

  void set_inks(const Ink& fill, const Ink& contour);

  // Cover pixels of frame row `y`: the fill first, then the contour over it, then `finish_row`.
  // Rows in ascending order; where two rows share their samples, the second must not be left out.
  void fill(const UnetsegFrame& frame, const std::vector<Run>& runs, int y);
  void contour(const UnetsegFrame& frame, const std::uint8_t* coverage, Run touched, int y);
  void finish_row(const UnetsegFrame& frame, int y);

 private:
  bool is_subsampled() const { return shift_x_ + shift_y_ > 0; }
  int row_weight(int y) const;
  void blend(std::uint8_t* row, const std::vector<std::uint8_t>& value, const std::uint8_t* alpha,
             int first, int last) const;
  void cover(int first, int last, int weight);

  int plane_, step_ = 1, shift_x_ = 0, shift_y_ = 0;
  int width_, height_, samples_;  // of the frame; of a row of this plane
  const PixelLayout& layout_;
  std::uint8_t has_ink_[4] = {};  // 255 for each of a step's bytes that holds a component
  std::uint8_t contour_alpha_ = 0;
  std::vector<std::uint8_t> fill_value_, fill_alpha_, contour_value_;  // one row's bytes
  std::vector<std::uint8_t> alpha_;                                    // scratch, likewise

  // Coverage of a subsampled row so far; a whole sample is 1 << (shift_x_ + shift_y_) pixels.
  std::vector<std::uint8_t> fill_pixels_;           // for each byte
  std::vector<std::uint16_t> contour_coverage_;     // for each sample, 255 a pixel
  Run fill_touched_{0, 0}, contour_touched_{0, 0};  // samples
};

}  // namespace unetseg
