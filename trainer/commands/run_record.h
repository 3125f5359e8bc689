// SPDX-License-Identifier: MIT
// What a run leaves for those who ask later: run.json for programs, card.md for people.
#pragma once

#include <string>

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

}  // namespace unetseg::trainer
