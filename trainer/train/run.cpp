// SPDX-License-Identifier: MIT
#include "trainer/train/run.h"

#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "model/network/stored_parameters.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

double threshold_of(const Config& config) {
  return config.loss == "seed-dice" ? 1 / (1 + std::exp(-0.5)) : 0.5;
}

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
  batch_gradient_ = std::make_unique<BatchGradient>(config_, layout_, values_, batches_);
  network_ = make_network(config_.architecture, config_.base_width, views_of(values_, layout_));
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
  ModelCard card;
  card.architecture = config_.architecture;
  card.base_width = config_.base_width;
  card.input_width = config_.input_width;
  card.input_height = config_.input_height;
  card.threshold = threshold_of(config_);
  card.clean_up.largest_only = card.clean_up.fill_holes = config_.recipe == "default";
  card.notes["recipe"] = to_json(config_).dump();
  card.notes["data_sha256"] = data_sha256_;
  card.notes["data"] =
      fmt::format("{} training and {} validation images", train_.size(), validation_.size());
  card.notes["steps"] = std::to_string(state_.step);
  if (!state_.history.empty()) {
    const EpochRecord& last = state_.history.back();
    card.notes["validation"] = fmt::format(
        "mean Dice {:.4f}, mean Jaccard {:.4f} over {} images, masks at 512 pixels at "
        "most, without clean-up",
        last.validation_dice, last.validation_jaccard, validation_.size());
  }
  card.notes["intended_use"] = "research; not a medical device";
  return card;
}

std::vector<std::int64_t> TrainingRun::order_of_epoch() const {
  std::vector<std::int64_t> order(train_.size());
  std::iota(order.begin(), order.end(), 0);
  Random random(config_.seed, Purpose::order, {static_cast<std::uint64_t>(state_.epoch)});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

void TrainingRun::show_first_views() const {
  std::vector<std::int64_t> first = order_of_epoch();
  first.resize(std::min(first.size(), kFirstViews));
  Batch views = batch_gradient_->batch(first, static_cast<std::uint64_t>(state_.epoch));
  views.images = views.images.cpu();
  views.target = views.target.cpu();
  events_.views(views);
}

DropoutMasks TrainingRun::dropout_masks(std::int64_t samples) const {
  DropoutMasks masks;
  if (config_.dropout <= 0) return masks;
  Random random(config_.seed, Purpose::dropout, {static_cast<std::uint64_t>(state_.step)});
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const double keep = 1 - config_.dropout;
  for (int level = 0; level < kLevels; ++level) {
    at::Tensor mask = at::empty({samples, std::int64_t{config_.base_width} << level});
    masks.push_back(mask.bernoulli_(keep, generator).div_(keep).to(device_));
  }
  return masks;
}

double TrainingRun::learning_rate() const {
  if (config_.schedule == "plateau") return config_.learning_rate * state_.plateau.factor;
  // Before the total is known the warm-up cannot be placed: the few steps run at a tenth of the
  // rate.
  if (state_.total_steps == 0) return 0.1 * config_.learning_rate;
  return config_.learning_rate *
         rate_factor(config_.schedule, state_.step, state_.total_steps, config_.warm_up);
}

TrainingRun::StepResult TrainingRun::train_step(const std::vector<std::int64_t>& indices) {
  const at::Tensor& gradient = batch_gradient_->gradient();
  StepResult result;
  result.loss = batch_gradient_->compute(indices, static_cast<std::uint64_t>(state_.epoch),
                                         dropout_masks(static_cast<std::int64_t>(indices.size())));
  result.norm = clip_norm(gradient, config_.clip);
  result.taken = std::isfinite(result.loss) && std::isfinite(result.norm);
  if (result.taken) {
    optimizer_->step(values_, gradient, learning_rate());
    const double total = static_cast<double>(std::max<std::int64_t>(state_.total_steps, 1));
    if (config_.ema > 0)
      average_.lerp_(values_,
                     1 - ema_decay(state_.step, static_cast<std::int64_t>(total), config_.ema));
    else
      average_.copy_(values_);
  }
  return result;
}

void TrainingRun::epoch_loop(const std::atomic<bool>& stop, BudgetPlanner* budget) {
  const std::vector<std::int64_t> order = order_of_epoch();
  const auto samples = static_cast<std::int64_t>(order.size());
  while (state_.next_sample < samples) {
    if (stop || (state_.total_steps > 0 && state_.step >= state_.total_steps)) return;
    const double begin = now();
    const std::int64_t end = std::min(samples, state_.next_sample + config_.batch_size);
    const double rate = learning_rate();
    const StepResult result = train_step({order.begin() + state_.next_sample, order.begin() + end});
    if (result.taken) {
      state_.epoch_loss_sum += result.loss * static_cast<double>(end - state_.next_sample);
      state_.epoch_norm_sum += result.norm;
      state_.skipped_in_a_row = 0;
    } else if (++state_.skipped_in_a_row >= 3) {
      throw Diverged(
          fmt::format("loss or gradient was not finite three times in a row at step {}: "
                      "the last checkpoint is kept; lower --learning-rate",
                      state_.step));
    }
    state_.next_sample = end;
    ++state_.step;
    ++state_.epoch_steps;
    const double seconds = now() - begin;
    state_.seconds = now() - started_;
    if (budget != nullptr) {
      const std::int64_t planned =
          budget->after_step(seconds, state_.step, state_.seconds, state_.total_steps);
      if (planned > 0) {
        state_.total_steps = planned;
        if (events_.note)
          events_.note(fmt::format(
              "{:.0f} minutes allow {} steps ({:.1f} epochs)", config_.time_budget / 60, planned,
              static_cast<double>(planned) * config_.batch_size / static_cast<double>(samples)));
      }
    }
    if (events_.step) events_.step({state_.step, state_.total_steps, result.loss, rate, seconds});
  }
}

void TrainingRun::finish_epoch(double images_per_second) {
  require_usable_weights();
  EpochRecord record;
  record.epoch = state_.epoch + 1;
  record.step = state_.step;
  record.learning_rate = learning_rate();
  record.train_loss =
      state_.epoch_loss_sum / static_cast<double>(std::max<std::int64_t>(1, state_.next_sample));
  record.gradient_norm =
      state_.epoch_norm_sum / static_cast<double>(std::max<std::int64_t>(1, state_.epoch_steps));
  record.images_per_second = images_per_second;
  std::vector<std::vector<float>> maps;
  const ValidationResult result =
      validate(config_.ema > 0 ? *average_network_ : *network_, validation_, device_, config_.loss,
               threshold_of(config_), &maps, kPanelImages);
  record.validation_loss = result.loss;
  record.validation_dice = result.mean_dice();
  record.validation_jaccard = result.mean_jaccard();
  record.seconds = state_.seconds = now() - started_;
  state_.plateau.end_of_epoch(record.train_loss);
  state_.smoothed_jaccard = state_.history.empty()
                                ? record.validation_jaccard
                                : 0.8 * state_.smoothed_jaccard + 0.2 * record.validation_jaccard;
  state_.history.push_back(record);
  const bool best = state_.smoothed_jaccard > state_.best_smoothed;
  if (best) {
    state_.best_smoothed = state_.smoothed_jaccard;
    state_.best_epoch = record.epoch;
  }
  ++state_.epoch;
  state_.next_sample = 0;
  state_.epoch_loss_sum = state_.epoch_norm_sum = 0;
  state_.epoch_steps = 0;
  if (best) export_weights("best.safetensors");
  save();
  if (events_.epoch) events_.epoch(state_, maps);
}

// What blew up within the last steps must not take the place of what was good. Weights are exported
// in half precision: beyond its range they are lost as much as infinite ones.
void TrainingRun::require_usable_weights() const {
  constexpr double kLargestHalf = 65504;
  for (const at::Tensor& weights : {values_, average_})
    if (!(weights.abs().max().item<double>() <= kLargestHalf))
      throw Diverged(
          fmt::format("weights have grown out of range at step {}: the last checkpoint is kept; "
                      "lower --learning-rate",
                      state_.step));
}

void TrainingRun::save() {
  require_usable_weights();
  Checkpoint checkpoint;
  checkpoint.config = config_;
  checkpoint.data_sha256 = data_sha256_;
  checkpoint.progress = state_;
  checkpoint.optimizer_steps = optimizer_->steps;
  checkpoint.values = values_;
  checkpoint.first_moment = optimizer_->first_moment;
  checkpoint.second_moment = optimizer_->second_moment;
  checkpoint.average = average_;
  save_checkpoint(folder_ + "/checkpoint", checkpoint);
}

void TrainingRun::export_weights(const std::string& name) const {
  save_parameters(folder_ + "/" + name, views_of(exported_values(), layout_), card(), true);
}

RunEnd TrainingRun::run(const std::atomic<bool>& stop) {
  if (state_.step == 0 && events_.views) show_first_views();
  started_ = now() - state_.seconds;
  const std::int64_t steps_per_epoch =
      (static_cast<std::int64_t>(train_.size()) + config_.batch_size - 1) / config_.batch_size;
  std::unique_ptr<BudgetPlanner> budget;
  if (config_.time_budget > 0) {
    const double begin = now();
    validate(*average_network_, validation_, device_, config_.loss, 0.5);
    budget = std::make_unique<BudgetPlanner>(config_.time_budget, state_.seconds, now() - begin,
                                             steps_per_epoch);
  } else {
    state_.total_steps = steps_per_epoch * config_.epochs;
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
