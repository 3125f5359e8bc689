// SPDX-License-Identifier: MIT
#include "trainer/train/schedule.h"

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {

std::int64_t warm_up_steps(std::int64_t total, double warm_up) {
  return static_cast<std::int64_t>(std::floor(warm_up * static_cast<double>(total)));
}

double rate_factor(const std::string& schedule, std::int64_t step, std::int64_t total,
                   double warm_up) {
  const std::int64_t rising = warm_up_steps(total, warm_up);
  if (step < rising) return static_cast<double>(step + 1) / static_cast<double>(rising);
  const auto falling = static_cast<double>(std::max<std::int64_t>(1, total - rising));
  const double done = std::min(1.0, static_cast<double>(step - rising) / falling);
  if (schedule == "poly") return std::pow(1 - done, 0.9);
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
