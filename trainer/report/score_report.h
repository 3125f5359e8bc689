// SPDX-License-Identifier: MIT
// All that `evaluate` says about a set of scores, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/report/calibration.h"
#include "trainer/report/score.h"

namespace unetseg::trainer {

// What test-time augmentation added to the plain scores of the same images.
struct AugmentationGain {
  Interval plain_dice, plain_jaccard;
  Interval dice, jaccard;  // differences of the means, paired
};

struct ScoreReport {
  std::vector<ImageScore> images;
  std::string resolution;  // "the masks' own size"
  double threshold = 0.5;

  // What made the masks; empty where they existed already.
  std::string weights, weights_sha256;  // the file and its fingerprint
  std::string augmentation = "none";
  std::optional<AugmentationGain> gain;    // where there was augmentation
  std::optional<Calibration> calibration;  // of weights
};

AugmentationGain augmentation_gain(const std::vector<ImageScore>& plain,
                                   const std::vector<ImageScore>& augmented);

std::string to_text(const ScoreReport& report);

// An object with a newline at its end; what is not a number is null.
std::string to_json(const ScoreReport& report);

}  // namespace unetseg::trainer
