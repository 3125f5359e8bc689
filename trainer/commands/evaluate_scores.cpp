// SPDX-License-Identifier: MIT
// `evaluate`: scores weights, or masks that already exist, at the truth masks' own size.
#include <cstdio>
#include <memory>

#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/evaluate.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/worst_panels.h"
#include "trainer/predict/scorer.h"
#include "trainer/report/score_csv.h"

namespace unetseg::trainer {

int evaluate_scores(const EvaluateOptions& options) {
  const std::vector<Pair> pairs = pairs_to_score(options);
  std::unique_ptr<Predictor> predictor;
  if (options.predictions.empty()) predictor = std::make_unique<Predictor>(options.predictor);
  const double threshold = predictor ? predictor->threshold() : MaskAsMap::kThreshold;
  std::vector<ImageScore> scores;
  WorstPanels panels;
  Scorer scorer;
  const auto score = [&](const DecodedPair& decoded) {
    const std::string& id = decoded.pair.id;
    if (!predictor) {
      const MaskAsMap map(decoded.input);
      scores.push_back(scorer.score(id, map.view(), threshold, decoded.truth));
      return;
    }
    const ProbabilityView map = predictor->probabilities(decoded.input);
    scores.push_back(scorer.score(id, map, threshold, decoded.truth));
    if (!options.panels.empty())
      panels.add(id, scores.back().confusion.dice(), decoded.input, decoded.truth, map,
                 predictor->card());
  };
  if (!for_each_pair_to_score(options, pairs, score)) return interrupted_exit_code();
  std::fputs(to_text(summarise(scores), kNativeSize, threshold).c_str(), stdout);
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(scores));
  if (!options.panels.empty()) panels.write(options.panels, threshold);
  return kOk;
}

}  // namespace unetseg::trainer
