// SPDX-License-Identifier: MIT
// A split in a few lines for people: how many pictures, how large, how much of them is lesion.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/fit.h"

namespace unetseg::trainer {

// What is known of a pair without its pixels.
struct PairFacts {
  PairSize size;
  double lesion = 0;  // share of the mask, 0 to 1
};

// Sizes of images and of masks, and the shares' mean, range and histogram. Nothing for no pairs.
std::vector<std::string> summary_of(const std::vector<PairFacts>& pairs);

}  // namespace unetseg::trainer
