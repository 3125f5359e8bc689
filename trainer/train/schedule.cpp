// SPDX-License-Identifier: MIT
#include "trainer/train/schedule.h"

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {

double cosine_factor(std::int64_t step, std::int64_t total, double warm_up) {
  const double rising = std::floor(warm_up * static_cast<double>(total));
  if (static_cast<double>(step) < rising) return (static_cast<double>(step) + 1) / rising;
  const double falling = std::max(1.0, static_cast<double>(total) - rising);
  const double done = std::min(1.0, (static_cast<double>(step) - rising) / falling);
  return 0.5 * (1 + std::cos(3.14159265358979323846 * done));
}

void Plateau::end_of_epoch(double loss) {
  if (loss < best * (1 - 1e-4)) {
    best = loss;
    bad_epochs = 0;
  } else if (++bad_epochs > patience) {
    factor *= drop;
    bad_epochs = 0;
  }
}

}  // namespace unetseg::trainer
