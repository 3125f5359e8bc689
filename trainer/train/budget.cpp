// SPDX-License-Identifier: MIT
#include "trainer/train/budget.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unetseg::trainer {
namespace {
constexpr std::int64_t kWarmUpSteps = 10;
constexpr std::size_t kMeasuredSteps = 30;
constexpr double kMeasuredShare = 0.01;  // of the budget, where steps are so short
constexpr double kDecisionShare = 0.05;  // of the budget, after which the total is decided anyway
constexpr double kReserve = 0.95;        // of what is left: for saving, panels and a slower spell

// On a GPU a step with a batch of another size, an epoch's last, may take a thousand times as long
// as others: its kernels are looked for, once.
constexpr double kOnceOnGpu = 10;  // times the median, from which a step says nothing of the next

// The mean, not the median: slow spells cost time too.
double mean_step(std::vector<double> seconds, bool on_gpu) {
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  const double most = on_gpu ? kOnceOnGpu * *middle : std::numeric_limits<double>::infinity();
  double sum = 0, count = 0;
  for (const double s : seconds)
    if (s <= most) {
      sum += s;
      ++count;
    }
  return sum / count;
}

}  // namespace

BudgetPlanner::BudgetPlanner(double seconds, double spent, double validation_seconds,
                             std::int64_t steps_per_epoch, bool on_gpu)
    : budget_(seconds),
      spent_before_(spent),
      validation_seconds_(validation_seconds),
      steps_per_epoch_(steps_per_epoch),
      on_gpu_(on_gpu) {
  while (next_review_ < 1 && spent > next_review_ * budget_) next_review_ += 0.25;
}

std::int64_t BudgetPlanner::plan(double step_seconds, std::int64_t steps_done, double spent) const {
  double scoring = validation_seconds_ / static_cast<double>(steps_per_epoch_);
  if (on_gpu_) scoring = std::min(scoring, kScoringShare * step_seconds);
  const double per_step = step_seconds + scoring;
  const double left = std::max(0.0, kReserve * (budget_ - spent));
  return steps_done + std::max<std::int64_t>(1, static_cast<std::int64_t>(left / per_step));
}

std::int64_t BudgetPlanner::after_step(double step_seconds, std::int64_t steps_done, double spent,
                                       std::int64_t total) {
  // Where steps are long for the budget, the first of them must do.
  const bool first = total == 0,
             in_a_hurry = first && !on_gpu_ && spent - spent_before_ > kDecisionShare * budget_;
  if (++steps_seen_ <= kWarmUpSteps && !in_a_hurry) return 0;
  recent_.push_back(step_seconds);
  measured_ += step_seconds;
  const bool is_measured =
      recent_.size() >= kMeasuredSteps && measured_ >= kMeasuredShare * budget_;
  const bool enough = first ? is_measured || in_a_hurry : spent >= next_review_ * budget_;
  if (!enough) return 0;
  if (!first) next_review_ += 0.25;
  const double mean = mean_step(recent_, on_gpu_);
  measured_ = 0;
  recent_.clear();
  const std::int64_t planned = plan(mean, steps_done, spent);
  if (first) return planned;
  const double drift = std::abs(static_cast<double>(planned - total)) /
                       std::max(1.0, static_cast<double>(total - steps_done));
  return drift > 0.1 && next_review_ <= 1 ? planned : 0;
}

}  // namespace unetseg::trainer
