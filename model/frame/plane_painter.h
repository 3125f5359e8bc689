// SPDX-License-Identifier: MIT
// Blends a fill and a contour into one plane of a frame, row by row, whatever the plane holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/frame/formats.h"
#include "model/mask/mask.h"

namespace unetseg {

// A colour in codes of a frame's own components, at their depth, with straight alpha.
struct Ink {
  std::uint16_t value[3];
  std::uint8_t alpha;
};

// Every plane is values of one or two bytes: a repeating pattern of components, some with no ink
// (alpha, padding, components that are not painted). A value moves toward the ink's pattern by ink
// alpha times coverage. Where the components are subsampled, a sample's coverage is the mean over
// its pixels that lie in the frame.
class PlanePainter {
 public:
  // Paints the component of this number and all that share its samples. Allocates for the frame's
  // size; throws std::bad_alloc.
  PlanePainter(const UnetsegFrame& frame, int component);

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

  const PixelLayout& layout_;
  const Component& first_;        // of the components that are painted
  int width_, height_, samples_;  // of the frame; of a row of these components
  int shift_x_, shift_y_;
  int step_, value_bytes_;  // values a sample, bytes a value
  void (*blend_values_)(std::uint8_t*, const std::uint8_t*, const std::uint8_t*, std::size_t);
  std::uint8_t has_ink_[4] = {};  // 255 for each of a step's values that is painted
  std::uint8_t contour_alpha_ = 0;
  std::vector<std::uint8_t> fill_value_, contour_value_;  // one row's bytes
  std::vector<std::uint8_t> fill_alpha_;                  // for each value
  std::vector<std::uint8_t> alpha_;                       // scratch, likewise

  // Coverage of a subsampled row so far; a whole sample is 1 << (shift_x_ + shift_y_) pixels.
  std::vector<std::uint8_t> fill_pixels_;           // for each value
  std::vector<std::uint16_t> contour_coverage_;     // for each sample, 255 a pixel
  Run fill_touched_{0, 0}, contour_touched_{0, 0};  // samples
};

}  // namespace unetseg
