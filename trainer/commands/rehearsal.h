// SPDX-License-Identifier: MIT
// Runs that find out beforehand whether a training will work, and leave nothing behind.
#pragma once

#include <optional>

#include "trainer/commands/initial_weights.h"
#include "trainer/commands/train_options.h"
#include "trainer/commands/training_data.h"

namespace unetseg::trainer {

// --dry-run: two steps, validation, pictures, checkpoint and weights, in a temporary folder beside
// --output; what was saved must be what was trained, bit for bit. Says how long a step and the
// whole run would take, and what comes before it: `preparing_seconds` went into getting `data`.
// `config` must be resolved; `weights`: to begin with. Returns an exit code.
int dry_run(const TrainOptions& options, const Config& config,
            const std::optional<InitialWeights>& weights, const TrainingData& data,
            double preparing_seconds, const std::atomic<bool>& stop);

// --overfit-batch: reads the first images alone and learns them by heart. kOk where Dice reached
// what must be reached, otherwise kFailed and a sentence.
int overfit(const TrainOptions& options, const Config& config, const std::atomic<bool>& stop);

}  // namespace unetseg::trainer
