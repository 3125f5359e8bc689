// SPDX-License-Identifier: MIT
#include "trainer/report/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "trainer/splitmix.h"

namespace unetseg::trainer {
namespace {

constexpr int kResamples = 10000;
constexpr std::uint64_t kBootstrapSeed = 20170417;
constexpr double kEnoughJaccard = 0.65;  // ISIC 2018's rule: less means that the lesion was missed

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

// Linear between the two nearest of the sorted values.
double quantile(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const std::size_t below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

// All metrics are resampled together: each resample is a draw of images, not of numbers.
std::array<Interval, kMetrics> bootstrap(const std::vector<Metrics>& images) {
  const double n = static_cast<double>(images.size());
  std::array<std::vector<double>, kMetrics> means;
  for (auto& column : means) column.resize(kResamples);
  SplitMix64 random(kBootstrapSeed);
  for (int i = 0; i < kResamples; ++i) {
    Metrics sum{};
    for (std::size_t draw = 0; draw < images.size(); ++draw) {
      const Metrics& image = images[random.below(images.size())];
      for (std::size_t m = 0; m < kMetrics; ++m) sum[m] += image[m];
    }
    for (std::size_t m = 0; m < kMetrics; ++m) means[m][i] = sum[m] / n;
  }
  std::array<Interval, kMetrics> intervals;
  for (std::size_t m = 0; m < kMetrics; ++m) {
    double sum = 0;
    for (const Metrics& image : images) sum += image[m];
    std::sort(means[m].begin(), means[m].end());
    intervals[m] = {sum / n, quantile(means[m], 0.025), quantile(means[m], 0.975)};
  }
  return intervals;
}

// RFC 4180: a field with a comma, a quote or a line break is quoted, quotes inside are doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
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

Summary summarise(const std::vector<ImageScore>& scores) {
  Summary summary;
  summary.n = scores.size();
  if (scores.empty()) return summary;
  std::vector<Metrics> images;
  std::vector<double> dice;
  for (const ImageScore& score : scores) {
    images.push_back(metrics_of(score.confusion));
    dice.push_back(score.confusion.dice());
    const double jaccard = score.confusion.jaccard();
    if (jaccard >= kEnoughJaccard) summary.thresholded_jaccard += jaccard;
    if (dice.back() < 0.5) summary.below_half += 1;
    summary.pooled += score.confusion;
  }
  const double n = static_cast<double>(scores.size());
  summary.thresholded_jaccard /= n;
  summary.below_half /= n;
  std::sort(dice.begin(), dice.end());
  summary.median_dice = quantile(dice, 0.5);
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
  return text;
}

std::string to_csv(const std::vector<ImageScore>& scores) {
  std::string csv =
      "id,width,height,dice,jaccard,sensitivity,specificity,accuracy,thresholded_jaccard,"
      "truth_pixels,predicted_pixels,tp,fp,fn,tn\n";
  for (const ImageScore& score : scores) {
    const Confusion& c = score.confusion;
    const double jaccard = c.jaccard();
    csv += fmt::format("{},{},{}", csv_field(score.id), score.width, score.height);
    for (const double value : metrics_of(c)) csv += fmt::format(",{:.6f}", value);
    csv += fmt::format(",{:.6f},{},{},{},{},{},{}\n", jaccard >= kEnoughJaccard ? jaccard : 0.0,
                       c.tp + c.fn, c.tp + c.fp, c.tp, c.fp, c.fn, c.tn);
  }
  return csv;
}

}  // namespace unetseg::trainer
