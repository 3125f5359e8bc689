// SPDX-License-Identifier: MIT
// How scores hold up where pictures are worse, and what is found where there is nothing.
#pragma once

#include <string>
#include <vector>

namespace unetseg::trainer {

struct ConditionScores {
  std::string name;
  std::vector<double> dice;  // of the same images in the same order under each condition
};

// Frames without a lesion.
struct FrameCount {
  std::string name;
  std::size_t frames = 0, found = 0;  // on so many of them a lesion was found
};

struct ConditionTable {
  std::vector<std::string> ids;
  std::vector<ConditionScores> conditions;  // the first one is the plain images
  std::vector<FrameCount> frames;
};

// The lines that `evaluate --conditions` prints.
std::string to_text(const ConditionTable& table);

// A line for each condition and image.
std::string to_csv(const ConditionTable& table);

}  // namespace unetseg::trainer
