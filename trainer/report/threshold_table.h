// SPDX-License-Identifier: MIT
// Which threshold scores best on a set of images.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/score.h"

namespace unetseg::trainer {

// 0.30 to 0.70 in steps of 0.05, and the weights' own one at its place where it is another. Finer
// steps would fit the images, not the network.
std::vector<double> thresholds_to_try(double own);

struct ThresholdScores {
  double threshold;
  std::vector<ImageScore> images;  // the same ones in the same order for each threshold
};

// The one with the highest mean Dice; of equals the nearest to one half. There must be one.
const ThresholdScores& best_of(const std::vector<ThresholdScores>& tried);

// The table and the best, with how sure its lead over `own` is; `images` names the set: "the
// validation images".
std::string to_text(const std::vector<ThresholdScores>& tried, double own,
                    const std::string& images);

// A line for each threshold and image.
std::string to_csv(const std::vector<ThresholdScores>& tried);

}  // namespace unetseg::trainer
