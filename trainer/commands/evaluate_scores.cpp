// SPDX-License-Identifier: MIT
// `evaluate`: scores weights, or masks that already exist, at the truth masks' own size.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/evaluate.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/panel_sheets.h"
#include "trainer/data/file_bytes.h"
#include "trainer/predict/scorer.h"
#include "trainer/report/score_csv.h"
#include "trainer/report/score_report.h"

namespace unetseg::trainer {
namespace {

// Scores weights image by image; where they are augmented, the plain ones beside them.
class WeightsScoring {
 public:
  explicit WeightsScoring(const EvaluateOptions& options)
      : options_(options), predictor_(options.predictor) {
    if (options.predictor.augmentation == UNETSEG_TTA_NONE) return;
    PredictorOptions plain = options.predictor;
    plain.augmentation = UNETSEG_TTA_NONE;
    plain_predictor_ = std::make_unique<Predictor>(plain);
  }

  void score(const DecodedPair& decoded) {
    const std::string& id = decoded.pair.id;
    if (plain_predictor_)
      plain_.push_back(scorer_.score(id, plain_predictor_->probabilities(decoded.input),
                                     plain_predictor_->threshold(), decoded.truth));
    const auto start = std::chrono::steady_clock::now();
    const ProbabilityView map = predictor_.probabilities(decoded.input);
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    ImageScore score = scorer_.score(id, map, predictor_.threshold(), decoded.truth);
    const TruthMask truth = small_truth(decoded.truth);
    score.milliseconds = time.count();
    score.hd95 = scorer_.hd95(map, predictor_.threshold(), truth);
    score.confidence = predictor_.measure(decoded.input.width, decoded.input.height).confidence;
    scorer_.add_pixels(predictor_.network(), truth, &pixels_);
    const double dice = score.confusion.dice();
    if (!options_.panels.empty() && panels_.wants(dice))
      panels_.add(dice, make_panel(panel_caption(score), decoded.input, decoded.truth, map,
                                   predictor_.card().input_width, predictor_.card().input_height));
    scores_.push_back(std::move(score));
  }

  ScoreReport report() const {
    ScoreReport report;
    report.threshold = predictor_.threshold();
    report.weights = options_.predictor.weights;
    const std::vector<std::uint8_t> file = read_file(report.weights);
    report.weights_sha256 = sha256_of(file.data(), file.size());
    report.augmentation = tta_name(options_.predictor.augmentation);
    if (plain_predictor_) report.gain = augmentation_gain(plain_, scores_);
    const std::vector<double> confidence = values_of(scores_, &ImageScore::confidence),
                              dice = values_of(scores_, &Confusion::dice);
    report.calibration = {rank_correlation(confidence, dice), confidence_bins(confidence, dice),
                          pixels_};
    report.images = scores_;
    return report;
  }

  void write_pictures(const ScoreReport& report) {
    if (options_.panels.empty()) return;
    panels_.write(options_.panels, report.threshold);
    write_calibration(options_.panels + "/calibration.png", *report.calibration);
  }

 private:
  const EvaluateOptions& options_;
  Predictor predictor_;
  std::unique_ptr<Predictor> plain_predictor_;
  Scorer scorer_;
  std::vector<ImageScore> scores_, plain_;
  PixelCalibration pixels_;
  WorstPanels panels_;
};

void print_and_write(const EvaluateOptions& options, ScoreReport report) {
  report.resolution = kNativeSize;
  std::fputs(to_text(report).c_str(), stdout);
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(report.images));
  if (!options.json.empty()) write_file_atomically(options.json, to_json(report));
}

int score_weights(const EvaluateOptions& options, const std::vector<Pair>& pairs) {
  WeightsScoring scoring(options);
  if (!for_each_pair_to_score(options, pairs,
                              [&](const DecodedPair& decoded) { scoring.score(decoded); }))
    return interrupted_exit_code();
  const ScoreReport report = scoring.report();
  print_and_write(options, report);
  scoring.write_pictures(report);
  return kOk;
}

int score_predictions(const EvaluateOptions& options, const std::vector<Pair>& pairs) {
  ScoreReport report;
  report.threshold = MaskAsMap::kThreshold;
  Scorer scorer;
  const auto score = [&](const DecodedPair& decoded) {
    const MaskAsMap map(decoded.input);
    report.images.push_back(
        scorer.score(decoded.pair.id, map.view(), report.threshold, decoded.truth));
    report.images.back().hd95 =
        scorer.hd95(map.view(), report.threshold, small_truth(decoded.truth));
  };
  if (!for_each_pair_to_score(options, pairs, score)) return interrupted_exit_code();
  print_and_write(options, std::move(report));
  return kOk;
}

}  // namespace

int evaluate_scores(const EvaluateOptions& options) {
  const std::vector<Pair> pairs = pairs_to_score(options);
  return options.predictions.empty() ? score_weights(options, pairs)
                                     : score_predictions(options, pairs);
}

}  // namespace unetseg::trainer
