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

// From the text of a CSV file with the columns id, dice and jaccard, and any others. `name` is what
// errors call it. Throws Error(read), naming the line, where it is anything else or has no images.
std::vector<ImageResult> results_from_csv(const std::string& text, const std::string& name);

}  // namespace unetseg::trainer
