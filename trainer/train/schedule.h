// SPDX-License-Identifier: MIT
// Learning rates: one warm-up and one way down, or a drop on a plateau of the training loss.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace unetseg::trainer {

// Steps that the warm-up takes; `warm_up` is a share of the `total`.
std::int64_t warm_up_steps(std::int64_t total, double warm_up);

// Factor of the peak rate at `step` of `total` steps: linear over the warm-up, then to 0 at the
// end by half a cosine ("cosine") or by nnU-Net's (1 - share done)^0.9 ("poly").
double rate_factor(const std::string& schedule, std::int64_t step, std::int64_t total,
                   double warm_up);

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
