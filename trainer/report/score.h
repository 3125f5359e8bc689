// SPDX-License-Identifier: MIT
// Segmentation scores of one image and of a set, with their definitions.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "trainer/report/bootstrap.h"

namespace unetseg::trainer {

// Less means that the lesion was missed: ISIC 2018's rule for the thresholded Jaccard.
constexpr double kEnoughJaccard = 0.65;

constexpr double kNotMeasured = std::numeric_limits<double>::quiet_NaN();

// Pixel counts of one image. Truth is lesion above 127, prediction likewise.
struct Confusion {
  std::uint64_t tp = 0, fp = 0, fn = 0, tn = 0;
  double dice() const;         // 2 tp / (2 tp + fp + fn); both empty: 1
  double jaccard() const;      // tp / (tp + fp + fn); both empty: 1
  double sensitivity() const;  // tp / (tp + fn); empty truth: 1
  double specificity() const;  // tn / (tn + fp); full truth: 1
  double accuracy() const;
  double thresholded_jaccard() const;  // 0 where Jaccard is below kEnoughJaccard
  Confusion& operator+=(const Confusion& other);
};

// Both masks row-major and dense, `pixels` bytes each.
Confusion compare(const std::uint8_t* prediction, const std::uint8_t* truth, std::size_t pixels);

struct ImageScore {
  std::string id;
  int width = 0, height = 0;  // at which it was scored
  Confusion confusion;

  // NaN where it was not measured, or cannot be.
  double hd95 = kNotMeasured;          // see boundary_distance(), at 512 pixels at most
  double confidence = kNotMeasured;    // as the element tells it, see Measurer
  double milliseconds = kNotMeasured;  // from the decoded picture to cleaned probabilities
};

// Of each image, in order.
std::vector<double> values_of(const std::vector<ImageScore>& scores,
                              double (Confusion::*score)() const);
std::vector<double> values_of(const std::vector<ImageScore>& scores, double ImageScore::*measure);

struct Summary {
  std::size_t n = 0;
  Interval dice, jaccard, sensitivity, specificity,
      accuracy;  // per-image means, bootstrap percentiles
  double median_dice = 0;
  double thresholded_jaccard = 0;  // mean
  double below_half = 0;           // share of images with Dice < 0.5
  Confusion pooled;
  std::size_t hd95_images = 0;         // those where both masks show a lesion
  double hd95 = kNotMeasured;          // mean over these
  double milliseconds = kNotMeasured;  // median
};

Summary summarise(const std::vector<ImageScore>& scores);

// The lines that `evaluate` prints.
std::string to_text(const Summary& summary, const std::string& resolution, double threshold);

}  // namespace unetseg::trainer
