// SPDX-License-Identifier: MIT
// Where a run stands, apart from its tensors: what a checkpoint needs to go on exactly.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/train/schedule.h"

namespace unetseg::trainer {

// One line of metrics.csv.
struct EpochRecord {
  std::int64_t epoch = 0;  // counted from 1
  std::int64_t step = 0;   // at its end
  double learning_rate = 0;
  double train_loss = 0;       // mean over the samples of its taken steps; NaN: none was taken
  double gradient_norm = 0;    // mean over these steps, before clipping
  double validation_loss = 0;  // these four are NaN where the epoch was not scored
  double validation_dice = 0, validation_jaccard = 0;
  double validation_spread = 0;  // largest minus smallest probability of all validation images
  double seconds = 0;            // since the run began
  double images_per_second = 0;
};

bool is_scored(const EpochRecord& record);
// The latest epoch that was scored; null where none was.
const EpochRecord* last_scored(const std::vector<EpochRecord>& history);

// Random numbers are functions of (seed, epoch, sample), so no generator state is among these.
struct ProgressState {
  std::int64_t step = 0;         // optimizer steps done
  std::int64_t epoch = 0;        // counted from 0: the one under way
  std::int64_t next_sample = 0;  // position in the epoch's order
  std::int64_t total_steps = 0;  // 0: not decided yet
  std::int64_t epoch_steps = 0;
  // Steps without a finite loss and gradient are skipped, and left out of the epoch's means.
  double epoch_loss_sum = 0;             // over the samples of its taken steps so far
  std::int64_t epoch_taken_samples = 0;  // how many these are
  double epoch_norm_sum = 0;             // over its taken steps so far
  std::int64_t epoch_taken_steps = 0;    // how many these are
  int skipped_in_a_row = 0;
  Plateau plateau;
  double smoothed_jaccard = 0;  // of the validation scores, 0.8 of the last value
  double best_smoothed = -1;
  std::int64_t best_epoch = 0;
  double seconds = 0;  // spent so far, over all parts of an interrupted run
  std::vector<EpochRecord> history;
  std::vector<std::string> commands;  // that began the run and went on with it, as typed
};

std::string to_json_text(const ProgressState& state);
ProgressState progress_from_json(const std::string& text);  // Error(read)

// metrics.csv, header included; a value that is not a number leaves its cell empty.
std::string metrics_csv(const std::vector<EpochRecord>& history);

}  // namespace unetseg::trainer
