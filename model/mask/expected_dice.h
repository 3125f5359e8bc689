// SPDX-License-Identifier: MIT
// How sure a network is of a mask.
#pragma once

#include <cstddef>

namespace unetseg {

// The Dice score to be expected of a mask if each pixel is lesion with its probability, to first
// order: 2 sum(p m) / (sum(p) + sum(m)); `in_mask(i)` tells m. 0 where both are empty.
template <typename InMask>
double expected_dice(const float* probabilities, std::size_t pixels, InMask&& in_mask) {
  double probability = 0, both = 0, mask = 0;
  for (std::size_t i = 0; i < pixels; ++i) {
    const double p = static_cast<double>(probabilities[i]);
    const double m = in_mask(i) ? 1 : 0;
    probability += p;
    both += p * m;
    mask += m;
  }
  return mask + probability > 0 ? 2 * both / (mask + probability) : 0;
}

}  // namespace unetseg
