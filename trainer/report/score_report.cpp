// SPDX-License-Identifier: MIT
#include "trainer/report/score_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace unetseg::trainer {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Interval& interval) {
  return {{"mean", interval.mean}, {"low", interval.low}, {"high", interval.high}};
}

Json per_image(const Summary& summary) {
  return {{"dice", json_of(summary.dice)},
          {"jaccard", json_of(summary.jaccard)},
          {"sensitivity", json_of(summary.sensitivity)},
          {"specificity", json_of(summary.specificity)},
          {"accuracy", json_of(summary.accuracy)},
          {"median_dice", summary.median_dice},
          {"thresholded_jaccard", summary.thresholded_jaccard},
          {"share_of_dice_below_half", summary.below_half},
          {"hd95_of_diagonal", summary.hd95},
          {"hd95_images", summary.hd95_images},
          {"milliseconds", summary.milliseconds}};
}

Json pooled(const Confusion& c) {
  return {{"dice", c.dice()},
          {"jaccard", c.jaccard()},
          {"sensitivity", c.sensitivity()},
          {"specificity", c.specificity()},
          {"accuracy", c.accuracy()}};
}

Json json_of(const Calibration& calibration) {
  Json images = Json::array(), pixels = Json::array();
  for (const ConfidenceBin& bin : calibration.images)
    images.push_back({{"images", bin.images}, {"confidence", bin.confidence}, {"dice", bin.dice}});
  for (const PixelCalibration::Bin& bin : calibration.pixels.bins())
    if (bin.pixels > 0)
      pixels.push_back({{"pixels", bin.pixels},
                        {"probability", bin.mean_probability()},
                        {"lesion", bin.lesion_share()}});
  return {{"rank_correlation", json_of(calibration.rank_correlation)},
          {"images", images},
          {"expected_calibration_error", calibration.pixels.expected_error()},
          {"pixels", pixels}};
}

}  // namespace

AugmentationGain augmentation_gain(const std::vector<ImageScore>& plain,
                                   const std::vector<ImageScore>& augmented) {
  const std::vector<double> dice = values_of(plain, &Confusion::dice),
                            jaccard = values_of(plain, &Confusion::jaccard);
  return {mean_with_interval(dice), mean_with_interval(jaccard),
          paired_difference(dice, values_of(augmented, &Confusion::dice)),
          paired_difference(jaccard, values_of(augmented, &Confusion::jaccard))};
}

std::string to_text(const ScoreReport& report) {
  std::string text = to_text(summarise(report.images), report.resolution, report.threshold);
  if (report.gain) {
    const auto line = [&](const char* name, const Interval& plain, const Interval& difference) {
      return fmt::format(
          "{:<24}{:.4f}  with --tta {}: {:+.4f}, paired 95 % interval {:+.4f} to {:+.4f}\n", name,
          plain.mean, report.augmentation, difference.mean, difference.low, difference.high);
    };
    text += "\n" + line("plain Dice", report.gain->plain_dice, report.gain->dice) +
            line("plain Jaccard", report.gain->plain_jaccard, report.gain->jaccard);
  }
  if (report.calibration) text += "\n" + to_text(*report.calibration);
  return text;
}

std::string to_json(const ScoreReport& report) {
  const Summary summary = summarise(report.images);
  Json json = {{"n", summary.n},
               {"resolution", report.resolution},
               {"threshold", report.threshold},
               {"weights", nullptr}};
  if (!report.weights.empty())
    json["weights"] = {{"file", report.weights}, {"sha256", report.weights_sha256}};
  json["tta"] = report.augmentation;
  json["interval"] = fmt::format("95 %, percentiles of {} resamples of the images", kResamples);
  json["per_image"] = per_image(summary);
  json["pooled"] = pooled(summary.pooled);
  if (report.gain)
    json["tta_gain"] = {{"plain_dice", json_of(report.gain->plain_dice)},
                        {"plain_jaccard", json_of(report.gain->plain_jaccard)},
                        {"dice", json_of(report.gain->dice)},
                        {"jaccard", json_of(report.gain->jaccard)}};
  if (report.calibration) json["confidence"] = json_of(*report.calibration);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace unetseg::trainer
