// SPDX-License-Identifier: MIT
#include "trainer/report/threshold_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trainer/data/csv.h"

namespace unetseg::trainer {
namespace {

double mean_dice(const ThresholdScores& scores) {
  return mean_of(values_of(scores.images, &Confusion::dice));
}

std::string line_of(const ThresholdScores& scores, bool is_own, bool is_best) {
  const std::vector<double> dice = values_of(scores.images, &Confusion::dice);
  const char* remark = is_own && is_best ? "the weights' own, best"
                       : is_own          ? "the weights' own"
                       : is_best         ? "best"
                                         : "";
  std::string line = fmt::format(
      "{:<11}{:>9.4f}{:>14.4f}{:>12}  {}", scores.threshold, mean_of(dice),
      mean_of(values_of(scores.images, &Confusion::jaccard)),
      std::count_if(dice.begin(), dice.end(), [](double d) { return d < 0.5; }), remark);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

}  // namespace

std::vector<double> thresholds_to_try(double own) {
  std::vector<double> thresholds;
  for (int i = 6; i <= 14; ++i) thresholds.push_back(i / 20.0);
  const auto place = std::lower_bound(thresholds.begin(), thresholds.end(), own);
  if (place == thresholds.end() || *place != own) thresholds.insert(place, own);
  return thresholds;
}

const ThresholdScores& best_of(const std::vector<ThresholdScores>& tried) {
  return *std::max_element(tried.begin(), tried.end(),
                           [](const ThresholdScores& a, const ThresholdScores& b) {
                             const double dice_a = mean_dice(a), dice_b = mean_dice(b);
                             if (dice_a != dice_b) return dice_a < dice_b;
                             return std::abs(a.threshold - 0.5) > std::abs(b.threshold - 0.5);
                           });
}

std::string to_text(const std::vector<ThresholdScores>& tried, double own,
                    const std::string& images) {
  const ThresholdScores& best = best_of(tried);
  const ThresholdScores* before = nullptr;
  std::string text = fmt::format("{:<11}{:>9}{:>14}{:>12}\n", "threshold", "mean Dice",
                                 "mean Jaccard", "Dice < 0.5");
  for (const ThresholdScores& scores : tried) {
    if (scores.threshold == own) before = &scores;
    text += line_of(scores, scores.threshold == own, &scores == &best);
  }
  text += fmt::format("\nbest is {}", best.threshold);
  if (before != nullptr && before != &best) {
    const Interval lead = paired_difference(values_of(before->images, &Confusion::dice),
                                            values_of(best.images, &Confusion::dice));
    text += fmt::format(": mean Dice {:+.4f} over {} (paired 95 % interval {:+.4f} to {:+.4f})",
                        lead.mean, own, lead.low, lead.high);
  }
  return text +
         fmt::format("\ntuned on {}, n = {}: the score there is optimistic, other images tell\n",
                     images, best.images.size());
}

std::string to_csv(const std::vector<ThresholdScores>& tried) {
  std::string csv = "id,threshold,dice,jaccard\n";
  for (const ThresholdScores& scores : tried)
    for (const ImageScore& image : scores.images)
      csv += fmt::format("{},{},{:.6f},{:.6f}\n", csv_field(image.id), scores.threshold,
                         image.confusion.dice(), image.confusion.jaccard());
  return csv;
}

}  // namespace unetseg::trainer
