// SPDX-License-Identifier: MIT
#include "trainer/report/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace unetseg::trainer {
namespace {

// The scores with an interval, in the order in which they are printed.
constexpr std::size_t kMetrics = 5;
using Metrics = std::array<double, kMetrics>;
constexpr std::array<const char*, kMetrics> kMetricNames = {"Dice", "Jaccard", "sensitivity",
                                                            "specificity", "accuracy"};

Metrics metrics_of(const Confusion& c) {
  return {c.dice(), c.jaccard(), c.sensitivity(), c.specificity(), c.accuracy()};
}

// numerator / denominator; where there is nothing to judge, nothing is wrong.
double ratio(std::uint64_t numerator, std::uint64_t denominator) {
  if (denominator == 0) return 1.0;
  return static_cast<double>(numerator) / static_cast<double>(denominator);
}

// All metrics are resampled together: each resample is a draw of images, not of numbers.
std::array<Interval, kMetrics> bootstrap(const std::vector<Metrics>& images) {
  std::vector<std::vector<double>> columns(kMetrics);
  for (const Metrics& image : images)
    for (std::size_t m = 0; m < kMetrics; ++m) columns[m].push_back(image[m]);
  std::vector<std::vector<double>> means = resampled_means(columns);
  std::array<Interval, kMetrics> intervals;
  for (std::size_t m = 0; m < kMetrics; ++m)
    intervals[m] = with_interval(mean_of(columns[m]), std::move(means[m]));
  return intervals;
}

std::vector<double> measured(std::vector<double> values) {
  values.erase(
      std::remove_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }),
      values.end());
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

double Confusion::dice() const {
  return ratio(2 * tp, 2 * tp + fp + fn);
}
double Confusion::jaccard() const {
  return ratio(tp, tp + fp + fn);
}
double Confusion::sensitivity() const {
  return ratio(tp, tp + fn);
}
double Confusion::specificity() const {
  return ratio(tn, tn + fp);
}
double Confusion::accuracy() const {
  return ratio(tp + tn, tp + fp + fn + tn);
}

double Confusion::thresholded_jaccard() const {
  return jaccard() >= kEnoughJaccard ? jaccard() : 0;
}

Confusion& Confusion::operator+=(const Confusion& other) {
  tp += other.tp;
  fp += other.fp;
  fn += other.fn;
  tn += other.tn;
  return *this;
}

Confusion compare(const std::uint8_t* prediction, const std::uint8_t* truth, std::size_t pixels) {
  std::uint64_t both = 0, predicted = 0, lesion = 0;
  for (std::size_t i = 0; i < pixels; ++i) {
    const unsigned p = prediction[i] >> 7, t = truth[i] >> 7;  // above 127 is 128 and more
    both += p & t;
    predicted += p;
    lesion += t;
  }
  return {both, predicted - both, lesion - both, pixels - predicted - lesion + both};
}

std::vector<double> values_of(const std::vector<ImageScore>& scores,
                              double (Confusion::*score)() const) {
  std::vector<double> values;
  for (const ImageScore& image : scores) values.push_back((image.confusion.*score)());
  return values;
}

std::vector<double> values_of(const std::vector<ImageScore>& scores, double ImageScore::*measure) {
  std::vector<double> values;
  for (const ImageScore& image : scores) values.push_back(image.*measure);
  return values;
}

Summary summarise(const std::vector<ImageScore>& scores) {
  Summary summary;
  summary.n = scores.size();
  if (scores.empty()) return summary;
  std::vector<Metrics> images;
  std::vector<double> dice;
  for (const ImageScore& score : scores) {
    images.push_back(metrics_of(score.confusion));
    dice.push_back(score.confusion.dice());
    summary.thresholded_jaccard += score.confusion.thresholded_jaccard();
    if (dice.back() < 0.5) summary.below_half += 1;
    summary.pooled += score.confusion;
  }
  const double n = static_cast<double>(scores.size());
  summary.thresholded_jaccard /= n;
  summary.below_half /= n;
  std::sort(dice.begin(), dice.end());
  summary.median_dice = quantile(dice, 0.5);
  const std::vector<double> distances = measured(values_of(scores, &ImageScore::hd95)),
                            times = measured(values_of(scores, &ImageScore::milliseconds));
  summary.hd95_images = distances.size();
  if (!distances.empty()) summary.hd95 = mean_of(distances);
  if (!times.empty()) summary.milliseconds = quantile(times, 0.5);
  const std::array<Interval, kMetrics> intervals = bootstrap(images);
  summary.dice = intervals[0];
  summary.jaccard = intervals[1];
  summary.sensitivity = intervals[2];
  summary.specificity = intervals[3];
  summary.accuracy = intervals[4];
  return summary;
}

std::string to_text(const Summary& summary, const std::string& resolution, double threshold) {
  if (summary.n == 0) return "no images to score\n";
  std::string text = fmt::format("n = {} image{}, scored at {}, threshold {:.2f}\n\n", summary.n,
                                 summary.n == 1 ? "" : "s", resolution, threshold);
  text += fmt::format("{:<14}{:>10}  {:<18}{:>8}\n", "", "per image", "95 % interval", "pooled");
  const std::array<Interval, kMetrics> intervals = {
      summary.dice, summary.jaccard, summary.sensitivity, summary.specificity, summary.accuracy};
  const Metrics pooled = metrics_of(summary.pooled);
  for (std::size_t m = 0; m < kMetrics; ++m)
    text += fmt::format("{:<14}{:>10.4f}  {:<18}{:>8.4f}\n", kMetricNames[m], intervals[m].mean,
                        fmt::format("{:.4f} to {:.4f}", intervals[m].low, intervals[m].high),
                        pooled[m]);
  const double n = static_cast<double>(summary.n);
  text += fmt::format("\n{:<24}{:.4f}\n", "median Dice", summary.median_dice);
  text += fmt::format("{:<24}{:.4f}  (below {} counts as 0)\n", "thresholded Jaccard",
                      summary.thresholded_jaccard, kEnoughJaccard);
  text += fmt::format("{:<24}{:.1f} %  ({:.0f} of {})\n", "images with Dice < 0.5",
                      100 * summary.below_half, std::round(n * summary.below_half), summary.n);
  if (summary.hd95_images > 0)
    text += fmt::format("{:<24}{:.4f}  of the picture's diagonal ({} of {} have both masks)\n",
                        "mean HD95", summary.hd95, summary.hd95_images, summary.n);
  if (!std::isnan(summary.milliseconds))
    text += fmt::format("{:<24}{:.1f} ms an image (median)\n", "prediction", summary.milliseconds);
  return text;
}

}  // namespace unetseg::trainer
