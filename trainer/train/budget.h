// SPDX-License-Identifier: MIT
// How many steps fit into a time budget, so that the schedule reaches its end just before it.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace unetseg::trainer {

// Measures steps after a warm-up, decides the total once, and corrects it at a quarter, a half and
// three quarters where the machine's speed has drifted by more than a tenth. Not thread-safe.
class BudgetPlanner {
 public:
  // `seconds`: the whole budget, of which `spent` are gone; scoring an epoch took
  // `validation_seconds`.
  BudgetPlanner(double seconds, double spent, double validation_seconds,
                std::int64_t steps_per_epoch);

  // After each step: its duration, the steps done and the seconds spent of the whole run. Returns
  // the new total where it has just been decided or corrected, else 0.
  std::int64_t after_step(double step_seconds, std::int64_t steps_done, double spent,
                          std::int64_t total);

 private:
  std::int64_t plan(double step_seconds, std::int64_t steps_done, double spent) const;
  double budget_, spent_before_, validation_seconds_;
  std::int64_t steps_per_epoch_;
  std::int64_t steps_seen_ = 0;
  std::vector<double> recent_;
  double next_review_ = 0.25;
};

}  // namespace unetseg::trainer
