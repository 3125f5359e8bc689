// SPDX-License-Identifier: MIT
// Whether confidence means what it says: of whole masks against their true Dice, and of pixels.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/report/bootstrap.h"

namespace unetseg::trainer {

// Spearman's: the correlation of the ranks, equal values sharing theirs; the interval is of a
// bootstrap over images. NaN where one of both is constant.
Interval rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

// Images of similar confidence.
struct ConfidenceBin {
  std::size_t images = 0;
  double confidence = 0, dice = 0;  // means
};

// `count` bins of (nearly) as many images each, in order of confidence; fewer where there are fewer
// images.
std::vector<ConfidenceBin> confidence_bins(const std::vector<double>& confidence,
                                           const std::vector<double>& dice, std::size_t count = 5);

// Pixels by their probability, in bins of one tenth.
class PixelCalibration {
 public:
  static constexpr std::size_t kBins = 10;

  struct Bin {
    std::uint64_t pixels = 0, lesion = 0;
    double probability = 0;  // sum

    double mean_probability() const { return probability / static_cast<double>(pixels); }
    double lesion_share() const {
      return static_cast<double>(lesion) / static_cast<double>(pixels);
    }
  };

  // `probabilities` from 0 to 1, `truth` 0 or 255.
  void add(const float* probabilities, const std::uint8_t* truth, std::size_t pixels);

  const std::array<Bin, kBins>& bins() const { return bins_; }

  // Mean over pixels of the distance between a bin's mean probability and its share of lesion. NaN
  // without pixels.
  double expected_error() const;

 private:
  std::array<Bin, kBins> bins_;
};

struct Calibration {
  Interval rank_correlation;  // of confidence and Dice
  std::vector<ConfidenceBin> images;
  PixelCalibration pixels;
};

// The lines that `evaluate` prints.
std::string to_text(const Calibration& calibration);

// Both kinds as curves beside the diagonal, a PNG. Throws Error(write).
void write_calibration(const std::string& path, const Calibration& calibration);

}  // namespace unetseg::trainer
