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
  // Of a GPU's time: there an epoch takes less than scoring, saving and drawing it does, and some
  // are left out.
  static constexpr double kScoringShare = 0.05;

  // `seconds`: the whole budget, of which `spent` are gone; scoring an epoch took
  // `validation_seconds`. On a GPU the first steps, in which kernels are loaded and tried, say
  // nothing about the rate, however long they take.
  BudgetPlanner(double seconds, double spent, double validation_seconds,
                std::int64_t steps_per_epoch, bool on_gpu = false);

  // After each step: its duration, the steps done and the seconds spent of the whole run. Returns
  // the new total where it has just been decided or corrected, else 0.
  std::int64_t after_step(double step_seconds, std::int64_t steps_done, double spent,
                          std::int64_t total);

 private:
  std::int64_t plan(double step_seconds, std::int64_t steps_done, double spent) const;
  double budget_, spent_before_, validation_seconds_;
  std::int64_t steps_per_epoch_;
  bool on_gpu_;
  std::int64_t steps_seen_ = 0;
  std::vector<double> recent_;
  double measured_ = 0;  // their sum
  double next_review_ = 0.25;
};

}  // namespace unetseg::trainer
