// SPDX-License-Identifier: MIT
// Whether a network has lost what it had learnt, judged by the history of its epochs.
#pragma once

#include <vector>

#include "trainer/train/progress_state.h"

namespace unetseg::trainer {

// An epoch after the warm-up (of so many steps) has collapsed where the network answers the same
// for every pixel, or where validation Dice is below a tenth of an earlier one while the training
// loss is worse than an earlier one. A young network may answer "no lesion" for many epochs: its
// training loss falls all the while.
bool has_collapsed(const std::vector<EpochRecord>& history, std::size_t i, std::int64_t warm_up);

// Epochs, counted from 1, in which validation collapsed.
std::vector<std::int64_t> collapsed_epochs(const std::vector<EpochRecord>& history,
                                           std::int64_t warm_up);

// Five scored epochs in a row: nothing good is to be expected of going on.
bool is_lost(const std::vector<EpochRecord>& history, std::int64_t warm_up);

}  // namespace unetseg::trainer
