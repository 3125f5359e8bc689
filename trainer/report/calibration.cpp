// SPDX-License-Identifier: MIT
#include "trainer/report/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "trainer/report/pictures.h"

namespace unetseg::trainer {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// 0 for the lowest value; equal values have the mean of their places.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0, end; first < order.size(); first = end) {
    end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    for (std::size_t i = first; i < end; ++i)
      ranks[order[i]] = (static_cast<double>(first) + static_cast<double>(end - 1)) / 2;
  }
  return ranks;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double da = a[i] - mean_a, db = b[i] - mean_b;
    aa += da * da;
    bb += db * db;
    ab += da * db;
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : kNone;
}

double rank_correlation_of(const std::vector<double>& a, const std::vector<double>& b) {
  return correlation(ranks_of(a), ranks_of(b));
}

Series series_of(const char* label) {
  Series series;
  series.label = label;
  series.right_axis = true;
  return series;
}

void add_point(Series* series, double x, double y) {
  series->x.push_back(x);
  series->y.push_back(y);
}

}  // namespace

Interval rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double value = rank_correlation_of(a, b);
  if (std::isnan(value)) return {kNone, kNone, kNone};
  std::vector<double> resampled, drawn_a(a.size()), drawn_b(b.size());
  for_each_resample(a.size(), [&](const std::vector<std::size_t>& draw) {
    for (std::size_t i = 0; i < draw.size(); ++i) {
      drawn_a[i] = a[draw[i]];
      drawn_b[i] = b[draw[i]];
    }
    // A draw of one image over and over has no order.
    const double of_draw = rank_correlation_of(drawn_a, drawn_b);
    if (!std::isnan(of_draw)) resampled.push_back(of_draw);
  });
  return with_interval(value, std::move(resampled));
}

std::vector<ConfidenceBin> confidence_bins(const std::vector<double>& confidence,
                                           const std::vector<double>& dice, std::size_t count) {
  std::vector<std::size_t> order(confidence.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return confidence[a] < confidence[b]; });
  std::vector<ConfidenceBin> bins(std::min(count, order.size()));
  for (std::size_t i = 0; i < order.size(); ++i) {
    ConfidenceBin& bin = bins[i * bins.size() / order.size()];
    ++bin.images;
    bin.confidence += confidence[order[i]];
    bin.dice += dice[order[i]];
  }
  for (ConfidenceBin& bin : bins) {
    bin.confidence /= static_cast<double>(bin.images);
    bin.dice /= static_cast<double>(bin.images);
  }
  return bins;
}

void PixelCalibration::add(const float* probabilities, const std::uint8_t* truth,
                           std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i) {
    const double probability = static_cast<double>(probabilities[i]);
    Bin& bin = bins_[std::min(kBins - 1, static_cast<std::size_t>(probability * kBins))];
    ++bin.pixels;
    bin.lesion += truth[i] >> 7;
    bin.probability += probability;
  }
}

double PixelCalibration::expected_error() const {
  double error = 0, pixels = 0;
  for (const Bin& bin : bins_) {
    error += std::abs(bin.probability - static_cast<double>(bin.lesion));
    pixels += static_cast<double>(bin.pixels);
  }
  return pixels > 0 ? error / pixels : kNone;
}

std::string to_text(const Calibration& calibration) {
  std::string text = "confidence, as the element tells it, and the true Dice\n";
  const Interval& ranks = calibration.rank_correlation;
  text += std::isnan(ranks.mean)
              ? fmt::format("{:<24}none: all of one value\n", "rank correlation")
              : fmt::format("{:<24}{:.4f}  (Spearman; 95 % interval {:.4f} to {:.4f})\n",
                            "rank correlation", ranks.mean, ranks.low, ranks.high);
  text += fmt::format("{:>10}{:>12}{:>12}\n", "images", "confidence", "mean Dice");
  for (const ConfidenceBin& bin : calibration.images)
    text += fmt::format("{:>10}{:>12.4f}{:>12.4f}\n", bin.images, bin.confidence, bin.dice);
  return text +
         fmt::format("{:<24}{:.4f}  expected calibration error of the network's probabilities\n",
                     "pixels", calibration.pixels.expected_error());
}

void write_calibration(const std::string& path, const Calibration& calibration) {
  Series ideal = series_of("as it should be"), pixels = series_of("pixels: share of lesion"),
         images = series_of("images: mean Dice");
  add_point(&ideal, 0, 0);
  add_point(&ideal, 1, 1);
  for (const PixelCalibration::Bin& bin : calibration.pixels.bins())
    if (bin.pixels > 0) add_point(&pixels, bin.mean_probability(), bin.lesion_share());
  for (const ConfidenceBin& bin : calibration.images) add_point(&images, bin.confidence, bin.dice);
  write_curves(path, "Calibration", "probability of pixels, confidence of images",
               {ideal, pixels, images});
}

}  // namespace unetseg::trainer
