// SPDX-License-Identifier: MIT
// Two sets of scores of the same images, compared image by image.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/score_csv.h"

namespace unetseg::trainer {

struct MetricComparison {
  Interval a, b;
  Interval difference;  // of the means, b - a, paired
  double b_ahead = 0;   // share of the resamples in which b's mean is the higher one
};

// Scores of one image under both.
struct PairedResult {
  std::string id;
  ImageResult a, b;
  double gain() const { return b.dice - a.dice; }
};

struct Comparison {
  std::vector<PairedResult> images;  // in the order of the first set
  MetricComparison dice, jaccard;
  std::size_t a_wins = 0, b_wins = 0;  // images with the higher Dice
};

// Images are matched by id, whatever their order. `a_name` and `b_name` are what errors call the
// sets: Error(settings), naming the ids, where one has images that the other lacks, or an image
// twice.
Comparison compare_results(const std::vector<ImageResult>& a, const std::string& a_name,
                           const std::vector<ImageResult>& b, const std::string& b_name);

// The lines that `evaluate --compare` prints, with the `most` largest gains and losses.
std::string to_text(const Comparison& comparison, std::size_t most = 5);

std::string to_csv(const Comparison& comparison);

}  // namespace unetseg::trainer
