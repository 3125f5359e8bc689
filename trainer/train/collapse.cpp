// SPDX-License-Identifier: MIT
#include "trainer/train/collapse.h"

#include <algorithm>
#include <limits>

namespace unetseg::trainer {
namespace {

constexpr double kSameEverywhere = 1e-4;  // spread of probabilities; untrained networks have more
constexpr double kWorked = 0.3;           // Dice from which there is something to lose
constexpr double kLost = 0.1;             // share of it that is left
constexpr std::size_t kEpochsInARow = 5;

}  // namespace

bool has_collapsed(const std::vector<EpochRecord>& history, std::size_t i, std::int64_t warm_up) {
  if (!is_scored(history[i]) || (i == 0 ? 0 : history[i - 1].step) < warm_up) return false;
  if (history[i].validation_spread < kSameEverywhere) return true;
  double best_dice = 0, best_loss = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < i; ++k) {
    if (is_scored(history[k])) best_dice = std::max(best_dice, history[k].validation_dice);
    best_loss = std::min(best_loss, history[k].train_loss);
  }
  return best_dice >= kWorked && history[i].validation_dice < kLost * best_dice &&
         history[i].train_loss > best_loss;
}

std::vector<std::int64_t> collapsed_epochs(const std::vector<EpochRecord>& history,
                                           std::int64_t warm_up) {
  std::vector<std::int64_t> epochs;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (has_collapsed(history, i, warm_up)) epochs.push_back(history[i].epoch);
  return epochs;
}

bool is_lost(const std::vector<EpochRecord>& history, std::int64_t warm_up) {
  std::size_t collapsed = 0;
  for (std::size_t i = history.size(); i > 0 && collapsed < kEpochsInARow; --i) {
    if (!is_scored(history[i - 1])) continue;
    if (!has_collapsed(history, i - 1, warm_up)) return false;
    ++collapsed;
  }
  return collapsed == kEpochsInARow;
}

}  // namespace unetseg::trainer
