// SPDX-License-Identifier: MIT
#include "trainer/commands/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "model/network/stored_parameters.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/run_folder.h"
#include "trainer/commands/run_report.h"
#include "trainer/commands/say.h"
#include "trainer/commands/train_setup.h"
#include "trainer/train/overfit.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void require_equal(const Checkpoint& trained, const Checkpoint& saved) {
  const bool same = at::equal(trained.values.cpu(), saved.values) &&
                    at::equal(trained.average.cpu(), saved.average) &&
                    at::equal(trained.first_moment.cpu(), saved.first_moment) &&
                    at::equal(trained.second_moment.cpu(), saved.second_moment) &&
                    trained.optimizer_steps == saved.optimizer_steps &&
                    to_json_text(trained.progress) == to_json_text(saved.progress) &&
                    to_json_text(trained.config) == to_json_text(saved.config);
  if (!same) throw Error(Fault::failed, "the checkpoint read back is not the one that was written");
}

// The training pairs that are learnt by heart, decoded.
DecodedSet first_images(const TrainOptions& options, const Config& config,
                        const std::atomic<bool>& stop) {
  const std::string cached = cached_split_path(options.data, "train");
  if (std::filesystem::exists(cached)) return read_decoded(cached);
  std::vector<Pair> pairs = find_dataset(options.data).train;
  pairs.resize(std::min<std::size_t>(pairs.size(), kOverfitImages));
  if (pairs.empty()) throw DataError({options.data + ": no training images"});
  DecodeOptions decoding;
  decoding.width = config.input_width;
  decoding.height = config.input_height;
  decoding.skip_bad = options.skip_bad;
  decoding.stretch_masks = true;  // sixteen may be too few to see that the set was squashed
  DecodeReport report;
  return decode(pairs, decoding, &report, {}, &stop);
}

void say_length(const Config& config, std::size_t images, double step_seconds,
                double scoring_seconds) {
  const std::int64_t per_epoch =
      (static_cast<std::int64_t>(images) + config.batch_size - 1) / config.batch_size;
  const double scoring_per_step = scoring_seconds / static_cast<double>(per_epoch);
  const std::string rate = fmt::format("a step takes {:.2f} s, scoring an epoch {:.1f} s",
                                       step_seconds, scoring_seconds);
  if (config.time_budget > 0 && config.steps == 0) {
    say(fmt::format("{}: about {:.0f} steps in {}", rate,
                    config.time_budget / (step_seconds + scoring_per_step),
                    duration_text(config.time_budget)));
    return;
  }
  const std::int64_t steps = config.steps > 0 ? config.steps : per_epoch * config.epochs;
  const auto count = static_cast<double>(steps);
  say(fmt::format("{}: {} steps ({:.1f} epochs) would take about {}", rate, steps,
                  count / static_cast<double>(per_epoch),
                  duration_text(count * (step_seconds + scoring_per_step))));
}

}  // namespace

int dry_run(const TrainOptions& options, const Config& config,
            const std::optional<InitialWeights>& weights, const TrainingData& data,
            double preparing_seconds, const std::atomic<bool>& stop) {
  const ScratchFolder scratch(options.output);
  Config two_steps = config;
  two_steps.steps = 2;
  RunReport report(scratch.path(), data.validation, config, true);
  RunEvents events = report.events();
  double step_seconds = 0;
  std::chrono::steady_clock::time_point steps_done;
  events.step = [&](const StepInfo& info) {
    step_seconds = info.seconds_per_step;
    steps_done = std::chrono::steady_clock::now();
  };
  double scoring_seconds = 0;
  events.epoch = [&, show = events.epoch](const ProgressState& state,
                                          const std::vector<ImageScore>& scores,
                                          const std::vector<std::vector<float>>& maps) {
    scoring_seconds = seconds_since(steps_done);
    show(state, scores, maps);
  };
  TrainingRun run(two_steps, data.train, data.validation, scratch.path(), data.sha256, events);
  if (weights) run.start_from(weights->for_run(two_steps));
  if (run.run(stop) == RunEnd::interrupted) return interrupted_exit_code();
  report.finish(run);
  require_equal(run.checkpoint(), load_checkpoint(scratch.path() + "/checkpoint", nullptr));
  const SafetensorsFile written = read_safetensors(scratch.path() + "/last.safetensors");
  make_network(config.architecture, config.base_width, parameters_of(written));
  say("dry run: two steps, validation, pictures, checkpoint and weights work; the checkpoint read "
      "back equals what was trained, bit for bit");
  say_length(config, data.train.size(), step_seconds, scoring_seconds);
  say(fmt::format("before the first step: {} for reading the pictures{}",
                  duration_text(preparing_seconds),
                  config.teacher.empty() ? "" : " and asking the teachers"));
  return kOk;
}

int overfit(const TrainOptions& options, const Config& config, const std::atomic<bool>& stop) {
  const DecodedSet set = first_images(options, config, stop);
  const auto begin = std::chrono::steady_clock::now();
  const auto images = std::min<std::size_t>(set.size(), kOverfitImages);
  say(fmt::format("learning {} images by heart", images));
  const OverfitState state = overfit_batch(
      config, set,
      [&](const OverfitState& state) {
        say(fmt::format("step {:3}  loss {:.4f}  Dice {:.4f}  {}", state.step, state.loss,
                        state.dice, duration_text(seconds_since(begin))));
      },
      stop);
  if (state.dice >= kOverfitDice) {
    say(fmt::format("Dice {:.4f} on one batch after {} steps: network, loss and data fit together",
                    state.dice, state.step));
    return kOk;
  }
  if (stop) return interrupted_exit_code();
  say(
      fmt::format("error: one batch was not learnt: Dice {:.4f} after {} steps instead of {}; look "
                  "whether the masks belong to the images, and try a lower --learning-rate",
                  state.dice, state.step, kOverfitDice));
  return kFailed;
}

}  // namespace unetseg::trainer
