// SPDX-License-Identifier: MIT
// How sure a network is of a mask.
#pragma once

#include <cstddef>
#include <numeric>

namespace unetseg {

// The Dice score to be expected of a mask if each pixel is lesion with its probability, to first
// order: 2 sum(p m) / (sum(p) + sum(m)); `in_mask(i)` tells m. 0 where both are empty.
template <typename InMask>
double expected_dice(const float* probabilities, std::size_t pixels, InMask&& in_mask) {
  constexpr std::size_t kLanes = 8;  // sums side by side, which no addition has to wait for
  double probability[kLanes] = {}, both[kLanes] = {};
  std::size_t mask = 0;
  const auto add = [&](std::size_t i, std::size_t lane) {
    const double p = static_cast<double>(probabilities[i]);
    const bool m = in_mask(i);
    probability[lane] += p;
    both[lane] += m ? p : 0;
    mask += m;
  };
  std::size_t i = 0;
  for (; i + kLanes <= pixels; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  for (; i < pixels; ++i) add(i, 0);
  const double found = std::accumulate(both, both + kLanes, 0.0);
  const double sizes =
      std::accumulate(probability, probability + kLanes, static_cast<double>(mask));
  return sizes > 0 ? 2 * found / sizes : 0;
}

}  // namespace unetseg
