// SPDX-License-Identifier: MIT
// What `evaluate` can be asked for; each kind of report is a function in a file of its own.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/predict/decoded_pairs.h"
#include "trainer/predict/predictor.h"

namespace unetseg::trainer {

constexpr const char* kNativeSize = "the masks' own size";

struct EvaluateOptions {
  PredictorOptions predictor;
  std::string data, split = "validation", images, masks, predictions, csv, json, panels,
                    write_threshold;
  std::vector<std::string> compare;  // empty, or two files
  bool tune_threshold = false, conditions = false, quiet = false;
};

// The images that the options name. Throws Error(settings) where they name none or more than one
// kind of source, DataError where there are no images.
std::vector<Pair> pairs_to_score(const EvaluateOptions& options);

// for_each_decoded() with a progress line and until a signal comes.
bool for_each_pair_to_score(const EvaluateOptions& options, const std::vector<Pair>& pairs,
                            const std::function<void(const DecodedPair&)>& work);

// Each returns an exit code.
int evaluate_scores(const EvaluateOptions& options);
int evaluate_comparison(const EvaluateOptions& options);
int evaluate_threshold(const EvaluateOptions& options);
int evaluate_conditions(const EvaluateOptions& options);

}  // namespace unetseg::trainer
