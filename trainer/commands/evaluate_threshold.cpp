// SPDX-License-Identifier: MIT
// `evaluate --tune-threshold`: the threshold that suits validation images, and weights with it.
#include <fmt/format.h>

#include <cstdio>

#include "model/network/stored_parameters.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/evaluate.h"
#include "trainer/commands/interrupt.h"
#include "trainer/predict/scorer.h"
#include "trainer/report/threshold_table.h"

namespace unetseg::trainer {
namespace {

// The weights with another threshold and a note of where it comes from, and with another least
// confidence unless that is negative; all else as it was.
void write_with_threshold(const SafetensorsFile& file, double threshold, double min_confidence,
                          const std::string& note, const std::string& path) {
  ModelCard card = card_of(file);
  card.threshold = threshold;
  if (min_confidence >= 0) card.clean_up.min_confidence = min_confidence;
  card.notes["threshold_tuned"] = note;
  std::vector<TensorToWrite> tensors;
  for (const TensorEntry& tensor : file.tensors)
    tensors.push_back({tensor.name, tensor.dtype, tensor.shape, file.data.data() + tensor.offset});
  write_safetensors(path, tensors, to_metadata(card));
}

std::string note_of(const EvaluateOptions& options, const ThresholdScores& best, double own) {
  return fmt::format(
      "{} has the highest mean Dice of {} images of validation, test-time augmentation {}; "
      "before: {}",
      best.threshold, best.images.size(), tta_name(options.predictor.augmentation), own);
}

}  // namespace

int evaluate_threshold(const EvaluateOptions& options) {
  if (!options.data.empty() && options.split != "validation")
    throw Error(Fault::settings,
                fmt::format("a threshold is tuned on validation images alone, so that it can be "
                            "scored on others: leave out --split {}",
                            options.split));
  const std::vector<Pair> pairs = pairs_to_score(options);
  const SafetensorsFile file = read_safetensors(options.predictor.weights);
  Predictor predictor(options.predictor);
  const double own = predictor.card().threshold;
  std::vector<ThresholdScores> tried;
  for (const double threshold : thresholds_to_try(own)) tried.push_back({threshold, {}});
  Scorer scorer;
  const auto score = [&](const DecodedPair& decoded) {
    predictor.infer(decoded.input);
    for (ThresholdScores& scores : tried)
      scores.images.push_back(scorer.score(decoded.pair.id, predictor.cleaned(scores.threshold),
                                           scores.threshold, decoded.truth));
  };
  if (!for_each_pair_to_score(options, pairs, score)) return interrupted_exit_code();

  const std::string images =
      options.data.empty() ? options.images + ", taken as validation" : "the validation images";
  fmt::print("scored at {}\n\n{}", kNativeSize, to_text(tried, own, images));
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(tried));
  if (!options.write_threshold.empty()) {
    const ThresholdScores& best = best_of(tried);
    write_with_threshold(file, best.threshold, options.predictor.min_confidence,
                         note_of(options, best, own), options.write_threshold);
    fmt::print("written to {}\n", options.write_threshold);
  }
  return kOk;
}

}  // namespace unetseg::trainer
