// SPDX-License-Identifier: MIT
// The training loop: data, network, optimizer and schedule in, checkpoints and weights out.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "model/storage/model_card.h"
#include "trainer/data/decoded_set.h"
#include "trainer/train/augment.h"
#include "trainer/train/batch_gradient.h"
#include "trainer/train/budget.h"
#include "trainer/train/checkpoint.h"
#include "trainer/train/gpu/step.h"
#include "trainer/train/diverged.h"
#include "trainer/train/optimizer.h"
#include "trainer/train/run_card.h"
#include "trainer/train/validation.h"

namespace unetseg::trainer {

struct StepInfo {
  std::int64_t step, total_steps;  // total 0: not decided yet
  double loss, learning_rate, seconds_per_step;
};

// What is ahead of a run whose length is known.
struct RunEstimate {
  std::int64_t steps_left, total_steps, steps_per_epoch;
  double seconds;
};

// What a run tells while it goes on; called from the training thread.
struct RunEvents {
  // Before the first step, where the number of steps is known.
  std::function<void(const RunEstimate&)> estimate;
  // Once, before the first step of a new run: the first views that the network will see.
  std::function<void(const Batch&)> views;
  std::function<void(const StepInfo&)> step;
  // After each epoch that is scored: the scores of the validation images, and the maps of the first
  // of them.
  std::function<void(const ProgressState&, const std::vector<ImageScore>& scores,
                     const std::vector<std::vector<float>>& probabilities)>
      epoch;
  std::function<void(const std::string&)> note;
};

enum class RunEnd { finished, interrupted };

// One run on one device. The sets are borrowed.
class TrainingRun {
 public:
  static constexpr std::size_t kPanelImages = 8, kFirstViews = 64;

  // `config.device` and `config.precision` must be resolved ("cpu", "cuda:N"; "fp32", "bf16").
  TrainingRun(Config config, const DecodedSet& train, const DecodedSet& validation,
              std::string folder, std::string data_sha256, RunEvents events);

  // Starts from given values (fine-tuning) or from a checkpoint's whole state.
  void start_from(const Parameters& parameters);
  void resume(const Checkpoint& checkpoint);
  // For the record: what began the run, or goes on with it.
  void add_command(const std::string& line) { state_.commands.push_back(line); }

  // Trains to the end, or until *stop becomes true (checked after each step). Writes checkpoint/
  // after every epoch that is scored (on a CPU each; on a GPU as many as cost 5 % of the time) and
  // at the end, best.safetensors and last.safetensors (the averaged weights).
  // Throws Diverged, also where validation has collapsed for good, Error(write), Error(no_space).
  RunEnd run(const std::atomic<bool>& stop);

  const ProgressState& progress() const { return state_; }
  // As given, with the memory format decided.
  const Config& config() const { return config_; }
  // What save() would write; shares the run's tensors.
  Checkpoint checkpoint() const;
  // Of the last epoch, image by image; empty where this object has scored none.
  const std::vector<ImageScore>& scores() const { return scores_; }
  // Scores the weights that are exported on `set`; `maps` receives the first `count` images'.
  ValidationResult score(const DecodedSet& set, std::vector<std::vector<float>>* maps = nullptr,
                         std::size_t count = 0) const;
  // Weights and card as they are exported.
  ModelCard card() const;

 private:
  using StepResult = gpu::Step::Result;
  // A step that was begun, what of it is known by then.
  struct BegunStep {
    std::int64_t step, samples;
    double learning_rate;
  };
  std::vector<std::int64_t> order_of_epoch() const;
  std::vector<std::int64_t> first_of_epoch(std::size_t count) const;
  std::int64_t steps_per_epoch() const;
  double estimated_seconds(std::int64_t steps) const;
  void note(const std::string& text) const;
  void show_first_views() const;
  double learning_rate() const;
  double average_weight() const;
  StepResult train_step(const std::vector<std::int64_t>& indices);
  // On a device steps are begun without waiting for what comes of earlier ones.
  void begin_step(const std::vector<std::int64_t>& indices);
  // What came of the oldest begun step; `seconds` is what it took.
  void end_step(double seconds, BudgetPlanner* budget);
  // Steps until the epoch's samples or the run's steps are used up, or until `stop`.
  void epoch_loop(const std::atomic<bool>& stop, BudgetPlanner* budget);
  void finish_epoch(double images_per_second);
  bool is_time_to_score() const;
  // What to do after a run has diverged.
  std::string way_on() const;
  void require_usable_weights() const;
  void require_living_network() const;
  void save();
  void export_weights(const std::string& name) const;
  at::Tensor exported_values() const { return config_.ema > 0 ? average_ : values_; }

  Config config_;
  const DecodedSet& train_;
  const DecodedSet& validation_;
  std::string folder_, data_sha256_;
  RunEvents events_;
  at::Device device_;
  std::vector<ParameterLayout> layout_;
  at::Tensor values_, average_;
  std::unique_ptr<Network> average_network_;
  std::unique_ptr<Optimizer> optimizer_;
  BatchMaker batches_;
  mutable std::unique_ptr<BatchMaker> validation_batches_;  // a GPU keeps them, once they are there
  std::unique_ptr<BatchGradient> batch_gradient_;
  std::unique_ptr<gpu::Step> device_step_;  // null: steps are taken one by one
  std::deque<BegunStep> begun_;
  StepResult result_{};  // of the last step that was taken by itself
  ProgressState state_;
  std::vector<ImageScore> scores_;
  double started_ = 0;               // clock reading that corresponds to state_.seconds == 0
  double scored_ = 0, scoring_ = 0;  // when an epoch was last scored, and how long that took
};

}  // namespace unetseg::trainer
