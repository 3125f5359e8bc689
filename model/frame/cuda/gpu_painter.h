// SPDX-License-Identifier: MIT
// The Painter of frames that lie in a GPU's memory.
#pragma once

#include <memory>
#include <vector>

#include "model/frame/cuda/chord_strips.h"
#include "model/frame/cuda/staging.h"
#include "model/frame/ink.h"
#include "model/mask/mask.h"

namespace unetseg {

// Draws as a Painter does, byte for byte. One thread at a time. The GPU must live longer.
//
// A call traces the contour, puts an upload and a kernel into the frame's stream, and returns; it
// waits for the GPU where the third call before it is not drawn yet, and where the geometry of the
// frame or the map changes. It allocates where that does, and for a longer contour than any before.
class GpuPainter {
 public:
  explicit GpuPainter(Gpu& gpu);

  // Throws as Painter::draw() and Gpu do.
  void draw(const ProbabilityView& probabilities, double threshold, const UnetsegFrame& frame,
            const UnetsegStyle& style);

 private:
  void place(const ProbabilityView& map, const UnetsegFrame& frame);
  void overlay(const ProbabilityView& map, float level, double threshold, const UnetsegFrame& frame,
               const UnetsegStyle& style);
  void values(const ProbabilityView& map, float level, const UnetsegFrame& frame,
              UnetsegDrawMode mode);
  Staging& next_upload();

  Gpu& gpu_;
  Upsampler upsampler_;
  ChordStrips contour_;
  // Where the frame's columns and rows lie in the map, and what that is for.
  Staging placement_;
  bool is_placed_ = false;
  int width_ = 0, height_ = 0;
  ProbabilityView placed_{};
  const Neighbours *across_ = nullptr, *down_ = nullptr;  // the GPU's
  // What draws that may be under way read: each the map, and the contour.
  std::vector<std::unique_ptr<Staging>> uploads_;
  std::size_t upload_ = 0;
};

}  // namespace unetseg
