// SPDX-License-Identifier: MIT
// Whether network, loss and data fit together: one batch must be learnt by heart.
#pragma once

#include <atomic>
#include <functional>

#include "trainer/train/config.h"
#include "trainer/data/decoded_set.h"

namespace unetseg::trainer {

constexpr int kOverfitImages = 16, kOverfitSteps = 300;
constexpr double kOverfitDice = 0.95;

struct OverfitState {
  std::int64_t step = 0;
  double loss = 0;
  double dice = 0;  // mean over the images, at the network's size, probabilities cut at one half
};

// Trains a fresh network on the first images of `set` as one batch, without augmentation, dropout
// and weight decay, at a constant rate after a short warm-up, until Dice reaches kOverfitDice, for
// `config.steps` at most (0: kOverfitSteps), or until `stop`. `tell` is called each time that the
// batch was scored.
// `config` must be resolved. Returns the last score. Throws Diverged.
OverfitState overfit_batch(Config config, const DecodedSet& set,
                           const std::function<void(const OverfitState&)>& tell,
                           const std::atomic<bool>& stop);

}  // namespace unetseg::trainer
