// SPDX-License-Identifier: MIT
// `evaluate --compare A B`: which of two weights files is better, and how sure that is.
#include <fmt/format.h>

#include <cstdio>

#include "model/error.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/evaluate.h"
#include "trainer/commands/interrupt.h"
#include "trainer/predict/scorer.h"
#include "trainer/report/comparison.h"

namespace unetseg::trainer {
namespace {

bool is_csv(const std::string& path) {
  return path.size() > 4 && path.compare(path.size() - 4, 4, ".csv") == 0;
}

void report(const EvaluateOptions& options, const Comparison& comparison) {
  std::fputs(to_text(comparison).c_str(), stdout);
  if (!options.csv.empty()) write_file_atomically(options.csv, to_csv(comparison));
}

int compare_csv_files(const EvaluateOptions& options) {
  if (!options.data.empty() || !options.images.empty() || !options.masks.empty())
    throw Error(Fault::settings,
                "two CSV files are compared as they are: leave out --data, --images and --masks");
  const std::string &a = options.compare[0], &b = options.compare[1];
  const Comparison comparison = compare_results(read_results(a), a, read_results(b), b);
  fmt::print("A  {}\nB  {}\nn = {} images, scored before\n\n", a, b, comparison.images.size());
  report(options, comparison);
  return kOk;
}

int compare_weights(const EvaluateOptions& options) {
  const std::vector<Pair> pairs = pairs_to_score(options);
  PredictorOptions of_a = options.predictor, of_b = options.predictor;
  of_a.weights = options.compare[0];
  of_b.weights = options.compare[1];
  Predictor a(of_a), b(of_b);
  std::vector<ImageScore> scores_a, scores_b;
  Scorer scorer;
  const auto score = [&](const DecodedPair& decoded) {
    for (const auto& [predictor, scores] : {std::pair(&a, &scores_a), std::pair(&b, &scores_b)})
      scores->push_back(scorer.score(decoded.pair.id, predictor->probabilities(decoded.input),
                                     predictor->threshold(), decoded.truth));
  };
  if (!for_each_pair_to_score(options, pairs, score)) return interrupted_exit_code();
  const Comparison comparison =
      compare_results(results_of(scores_a), of_a.weights, results_of(scores_b), of_b.weights);
  fmt::print("A  {}, threshold {}\nB  {}, threshold {}\nn = {} images, scored at {}\n\n",
             of_a.weights, a.threshold(), of_b.weights, b.threshold(), comparison.images.size(),
             kNativeSize);
  report(options, comparison);
  return kOk;
}

}  // namespace

int evaluate_comparison(const EvaluateOptions& options) {
  const bool a_is_csv = is_csv(options.compare[0]), b_is_csv = is_csv(options.compare[1]);
  if (a_is_csv != b_is_csv)
    throw Error(Fault::settings, "--compare takes two weights files, or two CSV files");
  return a_is_csv ? compare_csv_files(options) : compare_weights(options);
}

}  // namespace unetseg::trainer
