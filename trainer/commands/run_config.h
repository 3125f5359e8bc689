// SPDX-License-Identifier: MIT
// config.json of a run folder: what repeats the run, and what --resume knows its data by.
#pragma once

#include <string>

#include "trainer/commands/train_options.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {

// Writes it as --config takes it. Where a time budget decided the number of steps, it has that
// number; paths are absolute. A path that is no UTF-8, which JSON cannot hold, is left out.
void write_config(const TrainOptions& options, const TrainingRun& run);

// Whether the key says where the data lies or which part of it is used: all of it belongs to one
// data set alone.
bool says_which_data(const std::string& key);

}  // namespace unetseg::trainer
