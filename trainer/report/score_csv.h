// SPDX-License-Identifier: MIT
// Scores as CSV, one line an image, and back.
#pragma once

#include <string>
#include <vector>

#include "trainer/report/score.h"

namespace unetseg::trainer {

// With a header line. What was not measured is an empty field.
std::string to_csv(const std::vector<ImageScore>& scores);

// What is compared of an image.
struct ImageResult {
  std::string id;
  double dice = 0, jaccard = 0;
};

std::vector<ImageResult> results_of(const std::vector<ImageScore>& scores);

// From a CSV file with the columns id, dice and jaccard, and any others. Throws as CsvTable does,
// and DataError where a score is no number from 0 to 1 or there are none.
std::vector<ImageResult> read_results(const std::string& path);

}  // namespace unetseg::trainer
