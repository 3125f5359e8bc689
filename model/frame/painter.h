// SPDX-License-Identifier: MIT
// Draws a probability map onto a frame in its own format: overlay, mask, probabilities, or alpha.
#pragma once

#include <memory>

#include "model/backend/backend.h"
#include "model/mask/mask.h"

namespace unetseg {

// Draws onto frames. Holds a few rows for the frame geometry last seen; a change of geometry
// reallocates, otherwise a call allocates nothing but room for a longer contour or more runs of
// mask in a row than any before. One object per thread.
//
// Overlay: fill where the enlarged probability is >= threshold, contour of `contour_width` frame
// pixels centred on the threshold's level line, anti-aliased; straight-alpha blending in the
// frame's own space (RGB, or YUV with the colour converted once by the frame's matrix and range;
// GRAY8 as bright as the colour's strongest component). Rows that the mask does not touch are not
// read or written; an input's own alpha or padding byte is left as it is. Chroma of subsampled
// formats is blended with the mean coverage of its luma pixels.
class Painter {
 public:
  Painter();
  ~Painter();
  Painter(const Painter&) = delete;
  Painter& operator=(const Painter&) = delete;

  // `threshold` must be resolved (>= 0). Throws Error(frame_format) for a frame without
  // pixels, where mask or probability mode is given anything but GRAY8, and where alpha mode is
  // given a format without alpha; Error(no_space) where memory for the size is not to be had;
  // either before a pixel is written.
  void draw(const ProbabilityView& probabilities, double threshold, const UnetsegFrame& frame,
            const UnetsegStyle& style);

 private:
  struct Canvas;
  std::unique_ptr<Canvas> canvas_;
};

}  // namespace unetseg
