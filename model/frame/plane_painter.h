// SPDX-License-Identifier: MIT
// Blends a fill and a contour into one plane of a frame, row by row, whatever the plane holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/frame/blend.h"
#include "model/frame/formats.h"
#include "model/frame/ink.h"
#include "model/mask/mask.h"

namespace unetseg {

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
  // Runs do not overlap. Rows in ascending order; where two rows share their samples, the second
  // must not be left out. Allocates where a row has more runs than any before; throws
  // std::bad_alloc.
  void fill(const UnetsegFrame& frame, const std::vector<Run>& runs, int y);
  void contour(const UnetsegFrame& frame, const std::uint8_t* coverage,
               const std::vector<Run>& runs, int y);
  void finish_row(const UnetsegFrame& frame, int y);

 private:
  // From this sample on, so many more pixels of each sample are covered.
  struct Edge {
    int sample, pixels;
  };

  bool is_subsampled() const { return shift_x_ + shift_y_ > 0; }
  int row_weight(int y) const;
  InkPattern pattern(const Ink& ink, int alpha) const;
  void add_edges(const Run& run, int weight);
  void add_coverage(const std::uint8_t* coverage, const Run& run, int weight);
  std::uint8_t* at(const UnetsegFrame& frame, int row, int sample) const {
    return frame_row(frame, first_.plane, row) + sample * first_.step;
  }
  void fetch_ahead(const UnetsegFrame& frame, int row, const Run& samples) const;
  void blend_fill(const UnetsegFrame& frame, int row, const Run& samples, int pixels) const;
  void blend_coverage(const UnetsegFrame& frame, int row, const Run& samples);

  const PixelLayout& layout_;
  const Component& first_;  // of the components that are painted
  int width_, height_;      // of the frame
  int samples_, rows_;      // of these components
  int shift_x_, shift_y_;
  int step_, value_bytes_;  // values a sample, bytes a value
  const Blends& blends_;
  InkPattern fill_[5];  // for a sample of which so many pixels are covered
  InkPattern contour_;

  // Of a subsampled row so far. A whole sample is 1 << (shift_x_ + shift_y_) pixels.
  std::vector<Edge> edges_;              // of the fill
  std::vector<std::uint16_t> coverage_;  // of the contour, for each sample, 255 a pixel
  std::vector<Run> touched_;             // samples where that need not be 0; these may overlap
};

}  // namespace unetseg
