// SPDX-License-Identifier: MIT
// From a frame in its native format to the network's input, without a full-frame colour conversion.
#pragma once

#include <cstdint>
#include <memory>

#include "model/backend/backend.h"
#include "model/frame/framing.h"

namespace unetseg {

// How a sample is normalised: (value / 255 - mean) / stddev for each of R, G, B.
struct Normalisation {
  float mean[3] = {0, 0, 0};
  float stddev[3] = {1, 1, 1};
};

// Scales frames to one fixed size, as a framing says or stretched. Shrinking is an exact box
// filter (each output pixel is the mean of the source area that it covers, fractions of pixels
// included), enlarging is bilinear with pixel centres at half-integers, each axis decided on its
// own. Chroma is filtered at its own resolution and combined with luma at the output's resolution;
// GRAY8 is replicated to R, G, B. What shows nothing of the frame is black.
//
// Tables for a source geometry are built when it or the framing changes; apart from that a call
// allocates nothing.
// One object per thread.
class Sampler {
 public:
  // Output size in pixels, at least 1 x 1.
  Sampler(int width, int height, const Normalisation& normalisation = {});
  ~Sampler();
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  int width() const { return width_; }
  int height() const { return height_; }

  // Writes 3 x height x width floats, planar R, G, B, normalised. `fit` must not be
  // UNETSEG_FIT_MODEL. Throws Error(frame_format) for a frame without pixels, Error(no_space) where
  // tables cannot be allocated.
  Framing sample(const UnetsegFrame& frame, float* planar_rgb,
                 UnetsegFit fit = UNETSEG_FIT_STRETCH);

  // The stretched picture as 8-bit interleaved RGB (height x width x 3), rounded, not normalised:
  // what the trainer keeps in memory.
  void sample_rgb8(const UnetsegFrame& frame, std::uint8_t* rgb);

 private:
  struct Tables;
  UnetsegFrame prepare(const UnetsegFrame& frame, UnetsegFit fit);

  int width_, height_;
  Normalisation normalisation_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace unetseg
