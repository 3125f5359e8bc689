// SPDX-License-Identifier: MIT
// What a person sees of a run: progress, a line per epoch, metrics.csv, curves, panels, and the
// first augmented views.
#pragma once

#include <memory>
#include <string>

#include "trainer/train/run.h"

namespace unetseg::trainer {

class RunReport {
 public:
  // `validation` is borrowed: its first images are shown in the panels.
  RunReport(std::string folder, const DecodedSet& validation, const Config& config, bool quiet);
  ~RunReport();

  RunEvents events();

  // Ends the progress line and says how the run went, which epoch is the best one, and whether
  // validation collapsed on the way.
  void finish(const TrainingRun& run);

 private:
  void print(const std::string& line) const;
  void on_estimate(const RunEstimate& estimate) const;
  void on_first_views(const Batch& views) const;
  void on_epoch(const ProgressState& state, const std::vector<ImageScore>& scores,
                const std::vector<std::vector<float>>& probabilities);
  void write_pictures(const ProgressState& state) const;
  struct Live;
  std::string folder_;
  const DecodedSet& validation_;
  double threshold_;
  std::unique_ptr<Live> live_;
};

}  // namespace unetseg::trainer
