// SPDX-License-Identifier: MIT
#include "trainer/train/run.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "model/network/stored_parameters.h"
#include "trainer/train/collapse.h"
#include "trainer/train/dropout.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/random.h"
#include "trainer/train/step_timing.h"

namespace unetseg::trainer {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

TrainingRun::TrainingRun(Config config, const DecodedSet& train, const DecodedSet& validation,
                         std::string folder, std::string data_sha256, RunEvents events)
    : config_(std::move(config)),
      train_(train),
      validation_(validation),
      folder_(std::move(folder)),
      data_sha256_(std::move(data_sha256)),
      events_(std::move(events)),
      device_(config_.device),
      layout_(network_layout(config_.architecture, config_.base_width)),
      batches_(train, config_.input_width, config_.input_height, device_) {
  values_ = initial_values(config_.architecture, layout_, config_.seed).to(device_);
  average_ = values_.clone();
  if (config_.memory_format == "auto") {
    const MemoryFormatChoice choice = choose_memory_format(config_, layout_, values_, batches_,
                                                           first_of_epoch(config_.batch_size));
    config_.memory_format = choice.name;
    if (choice.contiguous > 0)
      note(
          fmt::format("images lie {} in memory: a batch takes {:.1f} ms contiguous, {:.1f} ms "
                      "channels-last",
                      choice.name, 1e3 * choice.contiguous, 1e3 * choice.channels_last));
  }
  batch_gradient_ = std::make_unique<BatchGradient>(config_, layout_, values_, batches_);
  average_network_ =
      make_network(config_.architecture, config_.base_width, views_of(average_, layout_));
  optimizer_ = make_optimizer(config_, decay_mask(layout_).to(device_));
}

void TrainingRun::start_from(const Parameters& parameters) {
  const Parameters views = views_of(values_, layout_);
  make_network(config_.architecture, config_.base_width, parameters);  // checks names and shapes
  for (const auto& view : views) view.second.copy_(parameters.at(view.first));
  average_.copy_(values_);
}

void TrainingRun::resume(const Checkpoint& checkpoint) {
  values_.copy_(checkpoint.values);
  average_.copy_(checkpoint.average);
  optimizer_->first_moment.copy_(checkpoint.first_moment);
  optimizer_->second_moment.copy_(checkpoint.second_moment);
  optimizer_->steps = checkpoint.optimizer_steps;
  state_ = checkpoint.progress;
  // Another budget: the number of steps is decided anew.
  if (config_.time_budget != checkpoint.config.time_budget) state_.total_steps = 0;
}

ModelCard TrainingRun::card() const {
  return card_of_run(config_, state_, train_.size(), validation_.size(), data_sha256_);
}

std::vector<std::int64_t> TrainingRun::order_of_epoch() const {
  std::vector<std::int64_t> order(train_.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(config_.seed, Purpose::order, {static_cast<std::uint64_t>(state_.epoch)});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

std::vector<std::int64_t> TrainingRun::first_of_epoch(std::size_t count) const {
  std::vector<std::int64_t> first = order_of_epoch();
  first.resize(std::min(first.size(), count));
  return first;
}

void TrainingRun::show_first_views() const {
  const std::vector<std::int64_t> first = first_of_epoch(kFirstViews);
  Batch views = batch_gradient_->batch(first, static_cast<std::uint64_t>(state_.epoch));
  views.images = views.images.cpu();
  views.target = views.target.cpu();
  events_.views(views);
}

double TrainingRun::learning_rate() const {
  if (config_.schedule == "plateau") return config_.learning_rate * state_.plateau.factor;
  // Before the total is known the warm-up cannot be placed: the few steps run at a tenth of the
  // rate.
  if (state_.total_steps == 0) return 0.1 * config_.learning_rate;
  return config_.learning_rate *
         rate_factor(config_.schedule, state_.step, state_.total_steps, config_.warm_up);
}

double TrainingRun::average_weight() const {
  const std::int64_t total = std::max<std::int64_t>(state_.total_steps, 1);
  return config_.ema > 0 ? 1 - ema_decay(state_.step, total, config_.ema) : 1;
}

TrainingRun::StepResult TrainingRun::train_step(const std::vector<std::int64_t>& indices) {
  const at::Tensor& gradient = batch_gradient_->gradient();
  StepResult result;
  result.loss = batch_gradient_->compute(
      indices, static_cast<std::uint64_t>(state_.epoch),
      dropout_masks(config_, state_.step, static_cast<std::int64_t>(indices.size())));
  result.norm = clip_norm(gradient, config_.clip);
  result.taken = std::isfinite(result.loss) && std::isfinite(result.norm);
  if (result.taken) {
    optimizer_->step(values_, gradient, learning_rate());
    if (config_.ema > 0)
      average_.lerp_(values_, average_weight());
    else
      average_.copy_(values_);
  }
  return result;
}

void TrainingRun::begin_step(const std::vector<std::int64_t>& indices) {
  const auto samples = static_cast<std::int64_t>(indices.size());
  begun_.push_back({state_.step, samples, learning_rate()});
  if (device_step_) {
    device_step_->submit(batch_gradient_->batch(indices, static_cast<std::uint64_t>(state_.epoch)),
                         dropout_masks(config_, state_.step, samples), learning_rate(),
                         average_weight());
    const std::string notice = device_step_->take_notice();
    if (!notice.empty()) note("warning: " + notice);
  } else {
    result_ = train_step(indices);
  }
  state_.next_sample += samples;
  ++state_.step;
  ++state_.epoch_steps;
}

void TrainingRun::end_step(double seconds, BudgetPlanner* budget) {
  const BegunStep step = begun_.front();
  begun_.pop_front();
  const StepResult result = device_step_ ? device_step_->read() : result_;
  if (result.taken) {
    state_.epoch_loss_sum += result.loss * static_cast<double>(step.samples);
    state_.epoch_norm_sum += result.norm;
    state_.epoch_taken_samples += step.samples;
    ++state_.epoch_taken_steps;
    state_.skipped_in_a_row = 0;
  } else if (++state_.skipped_in_a_row >= 3) {
    throw Diverged(
        fmt::format("loss or gradient was not finite three times in a row at step {}: {}",
                    step.step, way_on()));
  }
  state_.seconds = now() - started_;
  const std::int64_t done = step.step + 1;
  if (budget != nullptr) {
    const std::int64_t planned =
        budget->after_step(seconds, done, state_.seconds, state_.total_steps);
    if (planned > 0) {
      state_.total_steps = std::max(planned, state_.step);
      note(fmt::format("{:.0f} minutes allow {} steps ({:.1f} epochs)", config_.time_budget / 60,
                       state_.total_steps,
                       static_cast<double>(state_.total_steps) * config_.batch_size /
                           static_cast<double>(train_.size())));
    }
  }
  if (events_.step)
    events_.step({done, state_.total_steps, result.loss, step.learning_rate, seconds});
}

void TrainingRun::epoch_loop(const std::atomic<bool>& stop, BudgetPlanner* budget) {
  const std::vector<std::int64_t> order = order_of_epoch();
  const auto samples = static_cast<std::int64_t>(order.size());
  const std::size_t ahead = device_step_ ? gpu::Step::kAhead - 1 : 0;
  double last = now();
  const auto end_one = [&] {
    if (device_step_) device_step_->wait();
    const double time = now();
    end_step(time - last, budget);
    last = device_step_ ? time : now();
  };
  while (state_.next_sample < samples && !stop &&
         (state_.total_steps == 0 || state_.step < state_.total_steps)) {
    const std::int64_t end = std::min(samples, state_.next_sample + config_.batch_size);
    begin_step({order.begin() + state_.next_sample, order.begin() + end});
    if (begun_.size() > ahead) end_one();
  }
  while (!begun_.empty()) end_one();
}

void TrainingRun::finish_epoch(double images_per_second) {
  EpochRecord record;
  record.epoch = state_.epoch + 1;
  record.step = state_.step;
  record.learning_rate = learning_rate();
  record.train_loss = state_.epoch_loss_sum / static_cast<double>(state_.epoch_taken_samples);
  record.gradient_norm = state_.epoch_norm_sum / static_cast<double>(state_.epoch_taken_steps);
  record.images_per_second = images_per_second;
  std::vector<std::vector<float>> maps;
  const double begin = now();
  const bool scoring = is_time_to_score();
  record.validation_loss = record.validation_dice = record.validation_jaccard =
      record.validation_spread = std::nan("");
  if (scoring) {
    require_usable_weights();
    ValidationResult result = score(validation_, &maps, kPanelImages);
    record.validation_loss = result.loss;
    record.validation_dice = result.mean_dice();
    record.validation_jaccard = result.mean_jaccard();
    record.validation_spread = result.highest - result.lowest;
    scores_ = std::move(result.scores);
  }
  record.seconds = state_.seconds = now() - started_;
  state_.plateau.end_of_epoch(record.train_loss);
  if (scoring)
    state_.smoothed_jaccard = last_scored(state_.history) == nullptr
                                  ? record.validation_jaccard
                                  : 0.8 * state_.smoothed_jaccard + 0.2 * record.validation_jaccard;
  state_.history.push_back(record);
  const bool best = scoring && state_.smoothed_jaccard > state_.best_smoothed;
  if (best) {
    state_.best_smoothed = state_.smoothed_jaccard;
    state_.best_epoch = record.epoch;
  }
  ++state_.epoch;
  state_.next_sample = 0;
  state_.epoch_loss_sum = state_.epoch_norm_sum = 0;
  state_.epoch_steps = state_.epoch_taken_steps = state_.epoch_taken_samples = 0;
  if (!scoring) return;
  require_living_network();
  if (best) export_weights("best.safetensors");
  save();
  if (events_.epoch) events_.epoch(state_, scores_, maps);
  scored_ = now();
  scoring_ = scored_ - begin;
}

// A GPU gets through an epoch in less time than it takes to score, save and draw it.
bool TrainingRun::is_time_to_score() const {
  const bool last = state_.total_steps > 0 && state_.step >= state_.total_steps;
  return !device_step_ || last || now() - scored_ >= scoring_ / BudgetPlanner::kScoringShare;
}

std::string TrainingRun::way_on() const {
  if (std::filesystem::exists(folder_ + "/checkpoint/last.safetensors"))
    return "the last checkpoint is kept; go on from it with --resume and a lower --learning-rate";
  return "there is no checkpoint yet; start again with a lower --learning-rate";
}

// What blew up within the last steps must not take the place of what was good. Weights are exported
// in half precision: beyond its range they are lost as much as infinite ones.
void TrainingRun::require_usable_weights() const {
  constexpr double kLargestHalf = 65504;
  for (const at::Tensor& weights : {values_, average_})
    if (!(weights.abs().max().item<double>() <= kLargestHalf))
      throw Diverged(
          fmt::format("weights have grown out of range at step {}: {}", state_.step, way_on()));
}

// A dead network's average may still be what it was: nothing of it is kept.
void TrainingRun::require_living_network() const {
  const std::int64_t warm_up = warm_up_steps(state_.total_steps, config_.warm_up);
  if (state_.total_steps == 0 || !is_lost(state_.history, warm_up)) return;
  const std::size_t best = static_cast<std::size_t>(state_.best_epoch - 1);
  const std::string good =
      has_collapsed(state_.history, best, warm_up)
          ? ""
          : fmt::format(
                ", perhaps with --init of this run's best.safetensors, which is of epoch {}",
                state_.best_epoch);
  throw Diverged(
      fmt::format("validation has collapsed and not recovered for five epochs (epoch {}): start "
                  "again with another --output and a lower --learning-rate{}",
                  state_.history.back().epoch, good));
}

ValidationResult TrainingRun::score(const DecodedSet& set, std::vector<std::vector<float>>* maps,
                                    std::size_t count) const {
  const bool kept = !device_.is_cpu() && &set == &validation_;
  if (kept && !validation_batches_)
    validation_batches_ = std::make_unique<BatchMaker>(set, set.width, set.height, device_);
  const auto made =
      kept ? nullptr : std::make_unique<BatchMaker>(set, set.width, set.height, device_);
  return validate(*average_network_, set, kept ? *validation_batches_ : *made, config_.threads,
                  config_.loss, threshold_of(config_), maps, count);
}

Checkpoint TrainingRun::checkpoint() const {
  Checkpoint checkpoint;
  checkpoint.config = config_;
  checkpoint.data_sha256 = data_sha256_;
  checkpoint.progress = state_;
  checkpoint.optimizer_steps = optimizer_->steps;
  checkpoint.values = values_;
  checkpoint.first_moment = optimizer_->first_moment;
  checkpoint.second_moment = optimizer_->second_moment;
  checkpoint.average = average_;
  return checkpoint;
}

void TrainingRun::save() {
  require_usable_weights();
  save_checkpoint(folder_ + "/checkpoint", checkpoint());
}

void TrainingRun::note(const std::string& text) const {
  if (events_.note) events_.note(text);
}

double TrainingRun::estimated_seconds(std::int64_t steps) const {
  constexpr std::size_t kScored = 16;
  const std::int64_t per_epoch = steps_per_epoch();
  const double step =
      seconds_of_gradient(batch_gradient_.get(), first_of_epoch(config_.batch_size));
  std::vector<std::size_t> some(std::min(kScored, validation_.size()));
  std::iota(some.begin(), some.end(), 0);
  const DecodedSet sample = samples_of(validation_, some);
  const double begin = now();
  score(sample);
  const double scoring = (now() - begin) * static_cast<double>(validation_.size()) /
                         static_cast<double>(std::max<std::size_t>(1, some.size()));
  const std::int64_t epochs = (steps + per_epoch - 1) / per_epoch;
  return static_cast<double>(steps) * step + static_cast<double>(epochs) * scoring;
}

std::int64_t TrainingRun::steps_per_epoch() const {
  return (static_cast<std::int64_t>(train_.size()) + config_.batch_size - 1) / config_.batch_size;
}

void TrainingRun::export_weights(const std::string& name) const {
  save_parameters(folder_ + "/" + name, views_of(exported_values(), layout_), card(), true);
}

RunEnd TrainingRun::run(const std::atomic<bool>& stop) {
  if (state_.step == 0 && events_.views) show_first_views();
  if (batch_gradient_->on_device() != nullptr)
    device_step_ = std::make_unique<gpu::Step>(
        config_, gpu::Step::Tensors{values_, average_, optimizer_->decay_mask()},
        batch_gradient_->on_device(), optimizer_.get(), gpu::launcher_for(device_));
  const std::int64_t per_epoch = steps_per_epoch();
  std::unique_ptr<BudgetPlanner> budget;
  started_ = now() - state_.seconds;
  if (config_.time_budget > 0 && config_.steps == 0) {
    if (device_step_) score(validation_);  // cuDNN looks for its fastest kernels
    const double begin = now();
    score(validation_);
    budget = std::make_unique<BudgetPlanner>(config_.time_budget, state_.seconds, now() - begin,
                                             per_epoch, device_step_ != nullptr);
  } else {
    state_.total_steps = config_.steps > 0 ? config_.steps : per_epoch * config_.epochs;
    const std::int64_t left = state_.total_steps - state_.step;
    if (left > 0 && events_.estimate)
      events_.estimate({left, state_.total_steps, per_epoch, estimated_seconds(left)});
    started_ = now() - state_.seconds;  // the estimate is none of the run's time
  }
  // An epoch under way is scored even where its last step is done: a run may have been stopped
  // between the two.
  const auto steps_left = [&] {
    return state_.total_steps == 0 || state_.step < state_.total_steps;
  };
  while (steps_left() || state_.epoch_steps > 0) {
    const double begin = now();
    const std::int64_t first_sample = state_.next_sample;
    epoch_loop(stop, budget.get());
    if (stop) break;
    finish_epoch(static_cast<double>(state_.next_sample - first_sample) / (now() - begin));
  }
  state_.seconds = now() - started_;
  save();
  const bool finished = !steps_left() && state_.epoch_steps == 0;
  if (finished) export_weights("last.safetensors");
  return finished ? RunEnd::finished : RunEnd::interrupted;
}

}  // namespace unetseg::trainer
