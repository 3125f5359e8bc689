// SPDX-License-Identifier: MIT
// Scores of a network on a decoded set, as each epoch prints them.
#pragma once

#include <vector>

#include "model/network/network.h"
#include "trainer/data/decoded_set.h"
#include "trainer/report/score.h"
#include "trainer/train/augment.h"

namespace unetseg::trainer {

struct ValidationResult {
  double loss = 0;                 // mean over images, of the run's own loss
  std::vector<ImageScore> scores;  // at the truth masks' size, without clean-up of the mask
  double lowest = 1, highest = 0;  // probability of all pixels
  double mean_dice() const;
  double mean_jaccard() const;
};

// Runs `network` over `set`, whose size is the network's input and whose truth masks are present,
// on the device of `batches`, which hold the same set. Probabilities are enlarged to each truth
// mask and thresholded, as the element does it. Where `panel_probabilities` is given it receives
// the maps of the first `panels` images. `threads` threads (0: one for each core) take a few images
// each; on a CPU LibTorch itself must be set to one.
ValidationResult validate(const Network& network, const DecodedSet& set, const BatchMaker& batches,
                          unsigned threads, const std::string& loss, double threshold,
                          std::vector<std::vector<float>>* panel_probabilities = nullptr,
                          std::size_t panels = 0);

// The samples `indices` of `set`, in that order, with their truth masks.
DecodedSet samples_of(const DecodedSet& set, const std::vector<std::size_t>& indices);

}  // namespace unetseg::trainer
