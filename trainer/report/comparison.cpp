// SPDX-License-Identifier: MIT
#include "trainer/report/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "model/error.h"

#include "trainer/data/csv.h"

namespace unetseg::trainer {
namespace {

using ById = std::map<std::string, ImageResult>;

ById by_id(const std::vector<ImageResult>& results, const std::string& name) {
  ById map;
  for (const ImageResult& result : results)
    if (!map.emplace(result.id, result).second)
      throw Error(Fault::settings, fmt::format("{} has {} twice: give scores of one set of images",
                                               name, result.id));
  return map;
}

// "ISIC_1, ISIC_2 and 7 more", of the ids that are in `these` alone; empty where there are none.
std::string ids_missing_from(const ById& others, const ById& these) {
  constexpr std::size_t kNamed = 5;
  std::string list;
  std::size_t missing = 0;
  for (const auto& [id, result] : these) {
    if (others.count(id) != 0) continue;
    if (++missing <= kNamed) list += (list.empty() ? "" : ", ") + id;
  }
  if (missing > kNamed) list += fmt::format(" and {} more", missing - kNamed);
  return list;
}

void require_same_images(const ById& a, const std::string& a_name, const ById& b,
                         const std::string& b_name) {
  const std::string only_a = ids_missing_from(b, a), only_b = ids_missing_from(a, b);
  if (only_a.empty() && only_b.empty()) return;
  std::string differences;
  if (!only_a.empty()) differences = fmt::format("{} alone has {}", a_name, only_a);
  if (!only_b.empty())
    differences +=
        fmt::format("{}{} alone has {}", differences.empty() ? "" : "; ", b_name, only_b);
  throw Error(Fault::settings, "not the same images: " + differences);
}

MetricComparison compare_metric(const std::vector<PairedResult>& images,
                                double ImageResult::*score) {
  std::vector<double> a, b, difference;
  for (const PairedResult& image : images) {
    a.push_back(image.a.*score);
    b.push_back(image.b.*score);
    difference.push_back(b.back() - a.back());
  }
  std::vector<std::vector<double>> means = resampled_means({a, b, difference});
  MetricComparison metric;
  const auto ahead =
      std::count_if(means[2].begin(), means[2].end(), [](double d) { return d > 0; });
  metric.b_ahead = static_cast<double>(ahead) / kResamples;
  metric.a = with_interval(mean_of(a), std::move(means[0]));
  metric.b = with_interval(mean_of(b), std::move(means[1]));
  metric.difference = with_interval(mean_of(difference), std::move(means[2]));
  return metric;
}

std::string mean_text(const Interval& interval) {
  return fmt::format("{:.4f}  {:.4f} to {:.4f}", interval.mean, interval.low, interval.high);
}

std::string line_of(const char* name, const MetricComparison& metric) {
  return fmt::format("{:<9}{:<26}{:<26}{:+.4f}  {:+.4f} to {:+.4f}  {:>5.1f} %\n", name,
                     mean_text(metric.a), mean_text(metric.b), metric.difference.mean,
                     metric.difference.low, metric.difference.high, 100 * metric.b_ahead);
}

// Of those images that one side wins, the largest differences first.
std::string largest(std::vector<PairedResult> images, double sign, std::size_t most) {
  images.erase(
      std::remove_if(images.begin(), images.end(),
                     [&](const PairedResult& image) { return !(sign * image.gain() > 0); }),
      images.end());
  std::stable_sort(images.begin(), images.end(), [&](const auto& one, const auto& other) {
    return sign * one.gain() > sign * other.gain();
  });
  images.resize(std::min(images.size(), most));
  std::string text;
  for (const PairedResult& image : images)
    text += fmt::format("  {:<24}{:.4f} -> {:.4f}  {:+.4f}\n", image.id, image.a.dice, image.b.dice,
                        image.gain());
  return text.empty() ? "  none\n" : text;
}

}  // namespace

Comparison compare_results(const std::vector<ImageResult>& a, const std::string& a_name,
                           const std::vector<ImageResult>& b, const std::string& b_name) {
  const ById in_a = by_id(a, a_name), in_b = by_id(b, b_name);
  require_same_images(in_a, a_name, in_b, b_name);
  Comparison comparison;
  for (const ImageResult& result : a) {
    comparison.images.push_back({result.id, result, in_b.at(result.id)});
    comparison.a_wins += comparison.images.back().gain() < 0;
    comparison.b_wins += comparison.images.back().gain() > 0;
  }
  if (comparison.images.empty()) return comparison;
  comparison.dice = compare_metric(comparison.images, &ImageResult::dice);
  comparison.jaccard = compare_metric(comparison.images, &ImageResult::jaccard);
  return comparison;
}

std::string to_text(const Comparison& comparison, std::size_t most) {
  std::string text = fmt::format("{:<9}{:<26}{:<26}{:<28}{}\n", "", "A  (95 % interval)",
                                 "B  (95 % interval)", "B - A  (paired 95 %)", "B ahead");
  text += line_of("Dice", comparison.dice) + line_of("Jaccard", comparison.jaccard);
  text += fmt::format(
      "\nB ahead: share of the {} resamples of the images in which B's mean is the higher one\n"
      "of {} images B has the higher Dice on {}, A on {}, and {} are equal\n",
      kResamples, comparison.images.size(), comparison.b_wins, comparison.a_wins,
      comparison.images.size() - comparison.a_wins - comparison.b_wins);
  text += "\nlargest gains from A to B, Dice:\n" + largest(comparison.images, 1, most);
  text += "largest losses:\n" + largest(comparison.images, -1, most);
  return text;
}

std::string to_csv(const Comparison& comparison) {
  std::string csv = "id,dice_a,dice_b,dice_difference,jaccard_a,jaccard_b,jaccard_difference\n";
  for (const PairedResult& image : comparison.images)
    csv += fmt::format("{},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f}\n", csv_field(image.id),
                       image.a.dice, image.b.dice, image.gain(), image.a.jaccard, image.b.jaccard,
                       image.b.jaccard - image.a.jaccard);
  return csv;
}

}  // namespace unetseg::trainer
