// SPDX-License-Identifier: MIT
// A probability map against a true mask, at the mask's own size.
#pragma once

#include <string>
#include <vector>

#include "model/mask/mask.h"
#include "trainer/data/image_files.h"
#include "trainer/report/score.h"

namespace unetseg::trainer {

// A mask that somebody else made, as a map of zeros and ones that is cut at one half when enlarged.
class MaskAsMap {
 public:
  static constexpr double kThreshold = 0.5;
  explicit MaskAsMap(const Image& mask);  // 0 or 255
  ProbabilityView view() const { return {values_.data(), width_, height_}; }

 private:
  int width_, height_;
  std::vector<float> values_;
};

// Keeps the memory of masks for the next image. One object per thread.
class Scorer {
 public:
  // `truth`: one channel, 0 or 255.
  ImageScore score(const std::string& id, const ProbabilityView& map, double threshold,
                   const Image& truth);

 private:
  Upsampler upsampler_;
  std::vector<std::uint8_t> mask_;
};

}  // namespace unetseg::trainer
