// SPDX-License-Identifier: MIT
// A probability map against a true mask, at the mask's own size.
#pragma once

#include <string>
#include <vector>

#include "model/mask/mask.h"
#include "trainer/data/decoded_set.h"
#include "trainer/data/image_files.h"
#include "trainer/report/calibration.h"
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

// A true mask of 0 and 255 for what is measured at 512 pixels at most.
TruthMask small_truth(const Image& truth);

// Keeps the memory of masks for the next image. One object per thread.
class Scorer {
 public:
  // `truth`: one channel, 0 or 255.
  ImageScore score(const std::string& id, const ProbabilityView& map, double threshold,
                   const Image& truth);

  // boundary_distance() at the size of `truth`, which has the picture's proportions.
  double hd95(const ProbabilityView& map, double threshold, const TruthMask& truth);

  // Counts the pixels of a map, before clean-up, at the size of `truth`.
  void add_pixels(const ProbabilityView& map, const TruthMask& truth, PixelCalibration* pixels);

 private:
  const std::vector<std::uint8_t>& mask_at(const ProbabilityView& map, double threshold, int width,
                                           int height);

  Upsampler upsampler_;
  std::vector<std::uint8_t> mask_;
};

}  // namespace unetseg::trainer
