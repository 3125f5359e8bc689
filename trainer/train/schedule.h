// SPDX-License-Identifier: MIT
// Learning rates: one warm-up and one cosine, or a drop on a plateau of the training loss.
#pragma once

#include <cstdint>
#include <limits>

namespace unetseg::trainer {

// Factor of the peak rate at `step` of `total` steps: linear over the first `warm_up` (a share of
// the steps), then half a cosine to 0 at the end.
double cosine_factor(std::int64_t step, std::int64_t total, double warm_up);

// As PyTorch's ReduceLROnPlateau with mode min and relative threshold 1e-4: after more than
// `patience` epochs without a better loss the factor is multiplied by `drop`.
struct Plateau {
  double drop = 0.1;
  int patience = 2;
  double best = std::numeric_limits<double>::infinity();
  int bad_epochs = 0;
  double factor = 1;
  void end_of_epoch(double loss);
};

}  // namespace unetseg::trainer
