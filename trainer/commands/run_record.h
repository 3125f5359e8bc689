// SPDX-License-Identifier: MIT
// What a run leaves for those who ask later: run.json for programs, card.md for people.
#pragma once

#include <string>

#include "trainer/commands/train_options.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {

class RunRecord {
 public:
  // The run has begun now. `data`: the folder; `run` is borrowed.
  RunRecord(std::string folder, std::string data, std::string data_sha256, std::size_t training,
            std::size_t validation, const TrainingRun& run);

  // run.json with `end` as how the run stands: "running", "finished", "interrupted", or what ended
  // it. Throws Error(write), Error(no_space).
  void write(const std::string& end) const;

  // card.md, beside the weights of a run that has finished.
  void write_card() const;

 private:
  std::string folder_, data_, data_sha256_;
  std::size_t training_, validation_;
  const TrainingRun& run_;
  std::string started_;
};

// config.json of the run folder: what repeats the run when --config and --output are given, and
// what
// --resume knows its data by.
// Where a time budget decided the number of steps, it has that number.
void write_config(const TrainOptions& options, const TrainingRun& run);

}  // namespace unetseg::trainer
