// SPDX-License-Identifier: MIT
// `train`: from a folder of images and masks to a run folder with weights.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>

#include "model/storage/atomic_file.h"
#include "trainer/commands/command_line.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/final_pictures.h"
#include "trainer/commands/initial_weights.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/mask_fit.h"
#include "trainer/commands/rehearsal.h"
#include "trainer/commands/run_config.h"
#include "trainer/commands/run_folder.h"
#include "trainer/commands/run_record.h"
#include "trainer/commands/run_report.h"
#include "trainer/commands/say.h"
#include "trainer/commands/train_options.h"
#include "trainer/commands/train_setup.h"
#include "trainer/commands/training_data.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

// What goes on with this run: the rest is in its folder.
std::string resume_command(const TrainOptions& options) {
  return fmt::format("unetseg-trainer train --output {} --resume", shell_word(options.output));
}

Config configuration(const TrainOptions& options, const std::optional<Checkpoint>& checkpoint) {
  const std::string name = options.recipe.empty() ? "default" : options.recipe;
  Config base = checkpoint ? checkpoint->config : recipe(name);
  const std::string init = options.configure(base).init;
  if (!checkpoint && !init.empty()) base = shaped_like(init, base);
  Config config = options.configure(base);
  if (!options.recipe.empty()) config.recipe = options.recipe;
  // The record must hold in another working directory too.
  if (!config.init.empty()) config.init = fs::absolute(config.init);
  for (std::string& teacher : config.teacher) teacher = fs::absolute(teacher);
  return with_teacher_hashes(resolved(config));
}

// What a run goes on from, or begins with; a new one with neither begins at random.
struct Beginning {
  std::optional<Checkpoint> checkpoint;
  std::optional<InitialWeights> weights;
};

// The weights of --init, read before minutes are spent on data.
std::optional<InitialWeights> weights_to_begin_with(Config* config) {
  if (config->init.empty()) return std::nullopt;
  return InitialWeights(config);
}

TrainingData load_data(const TrainOptions& options, const Config& config,
                       const std::atomic<bool>& stop) {
  TrainingDataOptions data;
  data.data = options.data;
  data.cache_folder = options.cache_folder;
  data.width = config.input_width;
  data.height = config.input_height;
  data.supersampling = config.supersampling;
  data.validation_fraction = options.validation_fraction;
  data.groups = options.groups;
  data.skip_bad = options.skip_bad;
  data.stretch_masks = options.mask_fit == kMaskFitStretch;
  data.resumed = options.resume;
  TrainingData loaded = load_training_data(data, stop);
  if (!config.teacher.empty()) ask_teachers(config, options.quiet, stop, &loaded.train);
  return loaded;
}

// One run in `options.output`, to its end; `history` receives its epochs where it is given.
int run_in_folder(const TrainOptions& options, const Config& config, const Beginning& beginning,
                  const TrainingData& data, const std::atomic<bool>& stop,
                  std::vector<EpochRecord>* history = nullptr) {
  RunReport report(options.output, data.validation, config, options.quiet);
  TrainingRun run(config, data.train, data.validation, options.output, data.sha256,
                  report.events());
  if (beginning.checkpoint) {
    if (beginning.checkpoint->data_sha256 != data.sha256)
      throw Error(Fault::settings, "the data set is not the one that this run was started with");
    run.resume(*beginning.checkpoint);
    say(fmt::format("going on from step {}", beginning.checkpoint->progress.step));
  } else if (beginning.weights) {
    run.start_from(beginning.weights->for_run(config));
  }
  run.add_command(command_line());
  write_config(options, run);
  write_manifest(options.output + "/manifest.csv", data.manifest);
  const RunRecord record(options.output, options.data, data.sha256, data.train.size(),
                         data.validation.size(), run);
  record.write("running");
  RunEnd end;
  try {
    end = run.run(stop);
  } catch (const std::exception& error) {
    try {
      record.write(error.what());
    } catch (const Error&) {  // a full disk, say: what ended the run counts
    }
    throw;
  }
  report.finish(run);
  write_config(options, run);
  record.write(end == RunEnd::finished ? "finished" : "interrupted");
  if (history != nullptr) *history = run.progress().history;
  if (end == RunEnd::interrupted) {
    say("stopped; go on with: " + resume_command(options));
    return interrupted_exit_code();
  }
  write_final_pictures(options.output, run, data.validation);
  record.write_card();
  return kOk;
}

// Runs `work` with `folder`/log.txt open; what ends it stands in the log too.
int logged(const std::string& folder, bool go_on, const std::function<int()>& work) {
  const RunLog log(folder + "/log.txt", go_on);
  log_line(command_line());
  try {
    return work();
  } catch (const DataError& error) {
    for (const std::string& fault : error.faults()) log_line("  " + fault);
    throw;
  } catch (const std::exception& error) {
    log_line(std::string("error: ") + error.what());
    throw;
  }
}

int train_once(const TrainOptions& options, const std::atomic<bool>& stop) {
  const RunFolder folder(options.output, options.resume);
  return logged(options.output, options.resume, [&] {
    Beginning beginning;
    if (options.resume) {
      std::string warning;
      beginning.checkpoint = load_checkpoint(options.output + "/checkpoint", &warning);
      if (!warning.empty()) say("warning: " + warning);
    }
    Config config = configuration(options, beginning.checkpoint);
    if (beginning.checkpoint)
      require_same_run(*beginning.checkpoint, config);
    else
      beginning.weights = weights_to_begin_with(&config);
    folder.require_space(bytes_of_run(config));
    prepare_libtorch(config);
    const TrainingData data = load_data(options, config, stop);
    const int code = run_in_folder(options, config, beginning, data, stop);
    const std::string weights = fs::absolute(options.output + "/last.safetensors").string();
    if (code == kOk)
      say(
          fmt::format("done; try it: gst-launch-1.0 v4l2src ! videoconvert ! unetseg "
                      "{} ! videoconvert ! autovideosink",
                      shell_word("model-file=" + weights)));
    return code;
  });
}

struct Spread {
  double mean, deviation, low, high;
};

// Of one score over the runs; the deviation is that of a sample.
Spread spread_of(const std::vector<double>& scores) {
  Spread spread{0, 0, scores.front(), scores.front()};
  const auto n = static_cast<double>(scores.size());
  for (const double score : scores) {
    spread.mean += score / n;
    spread.low = std::min(spread.low, score);
    spread.high = std::max(spread.high, score);
  }
  for (const double score : scores)
    spread.deviation += (score - spread.mean) * (score - spread.mean) / std::max(1.0, n - 1);
  spread.deviation = std::sqrt(spread.deviation);
  return spread;
}

// The same run from `seeds` seeds, each in a folder of its own, and what their scores differ by.
int train_seeds(const TrainOptions& options, const std::atomic<bool>& stop) {
  require_folder_of_seeds(options.output);
  std::vector<TrainOptions> runs(static_cast<std::size_t>(options.seeds), options);
  std::vector<std::unique_ptr<RunFolder>> folders;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].output += fmt::format("/seed-{}", i + 1);
    folders.push_back(std::make_unique<RunFolder>(runs[i].output, false));
  }
  return logged(options.output, false, [&]() -> int {
    Config first = configuration(options, std::nullopt);
    Beginning beginning;
    beginning.weights = weights_to_begin_with(&first);
    folders.front()->require_space(runs.size() * bytes_of_run(first));
    prepare_libtorch(first);
    const TrainingData data = load_data(options, first, stop);
    std::vector<double> dice, jaccard;
    std::string csv = "run,seed,validation_dice,validation_jaccard\n";
    for (std::size_t i = 0; i < runs.size(); ++i) {
      Config config = first;
      config.seed += i;
      const RunLog log(runs[i].output + "/log.txt", false);
      say(fmt::format("run {} of {}, seed {}", i + 1, runs.size(), config.seed));
      std::vector<EpochRecord> history;
      const int code = run_in_folder(runs[i], config, beginning, data, stop, &history);
      if (code != kOk) return code;
      dice.push_back(history.back().validation_dice);
      jaccard.push_back(history.back().validation_jaccard);
      csv += fmt::format("seed-{},{},{:.6f},{:.6f}\n", i + 1, config.seed, dice.back(),
                         jaccard.back());
      write_file_atomically(options.output + "/seeds.csv", csv);
    }
    for (const auto& [name, scores] : {std::pair("Dice", &dice), std::pair("Jaccard", &jaccard)}) {
      const Spread spread = spread_of(*scores);
      say(fmt::format("{} seeds: validation {} {:.4f}, standard deviation {:.4f}, {:.4f} to {:.4f}",
                      runs.size(), name, spread.mean, spread.deviation, spread.low, spread.high));
    }
    return kOk;
  });
}

int train(const TrainOptions& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  std::signal(SIGPIPE, SIG_IGN);  // who reads the progress may leave
  if (options.seeds > 1) return train_seeds(options, stop);
  if (!options.dry_run && !options.overfit_batch) return train_once(options, stop);
  Config config = configuration(options, std::nullopt);
  prepare_libtorch(config);
  if (options.overfit_batch) return overfit(options, config, stop);
  const std::optional<InitialWeights> weights = weights_to_begin_with(&config);
  const auto begin = std::chrono::steady_clock::now();
  const TrainingData data = load_data(options, config, stop);
  const std::chrono::duration<double> preparing = std::chrono::steady_clock::now() - begin;
  return dry_run(options, config, weights, data, preparing.count(), stop);
}

}  // namespace

void add_train(CLI::App& app, Action* action) {
  CLI::App* verb = app.add_subcommand("train", "Train a network on images and masks");
  const std::shared_ptr<TrainOptions> options = add_train_options(verb);
  verb->callback([=] {
    *action = [=] {
      read_option_layers(verb, *options);
      return train(*options);
    };
  });
}

}  // namespace unetseg::trainer
