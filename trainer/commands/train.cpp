// SPDX-License-Identifier: MIT
// `train`: from a folder of images and masks to a run folder with weights.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <glib.h>

#include <cstdio>
#include <filesystem>
#include <optional>

#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/run_folder.h"
#include "trainer/commands/run_report.h"
#include "trainer/commands/train_options.h"
#include "trainer/commands/train_setup.h"
#include "trainer/commands/training_data.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

// The command that goes on with this run: its configuration comes from the checkpoint.
std::string resume_command(const TrainOptions& options) {
  const auto quoted = [](const std::string& text) {
    char* shell = g_shell_quote(text.c_str());
    const std::string copy = shell;
    g_free(shell);
    return copy;
  };
  std::string command = fmt::format("unetseg-trainer train --data {} --output {} --resume",
                                    quoted(options.data), quoted(options.output));
  if (!options.cache_folder.empty()) command += " --cache " + quoted(options.cache_folder);
  if (options.skip_bad > 0) command += fmt::format(" --skip-bad {}", options.skip_bad);
  if (options.mask_fit != "auto") command += " --mask-fit " + options.mask_fit;
  if (options.validation_fraction > 0)
    command += fmt::format(" --val-fraction {}", options.validation_fraction);
  if (!options.groups.empty()) command += " --groups " + quoted(options.groups);
  return command;
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
  data.stretch_masks = options.mask_fit == "stretch";
  return load_training_data(data, stop);
}

int train(const TrainOptions& options) {
  const std::atomic<bool>& stop = stop_on_signal();
  const RunFolder folder(options.output, options.resume);
  std::optional<Checkpoint> checkpoint;
  if (options.resume) {
    std::string warning;
    checkpoint = load_checkpoint(options.output + "/checkpoint", &warning);
    if (!warning.empty()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  const std::string name = options.recipe.empty() ? "default" : options.recipe;
  Config config = options.configure(checkpoint ? checkpoint->config : recipe(name));
  if (!options.recipe.empty()) config.recipe = options.recipe;
  config = resolved(config);
  if (checkpoint) require_same_run(*checkpoint, config);
  folder.require_space(bytes_of_run(config));
  prepare_libtorch(config);

  const TrainingData data = load_data(options, config, stop);
  RunReport report(options.output, data.validation, threshold_of(config), options.quiet);
  TrainingRun run(config, data.train, data.validation, options.output, data.sha256,
                  report.events());
  if (checkpoint) {
    if (checkpoint->data_sha256 != data.sha256)
      throw Error(Fault::settings, "the data set is not the one that this run was started with");
    run.resume(*checkpoint);
    std::fprintf(stderr, "going on from step %lld\n",
                 static_cast<long long>(checkpoint->progress.step));
  } else if (!options.init.empty()) {
    run.start_from(initial_parameters(options.init));
  }
  write_file_atomically(options.output + "/config.json", to_json(config).dump(2) + "\n");
  write_manifest(options.output + "/manifest.csv", data.manifest);

  const RunEnd end = run.run(stop);
  report.finish(run.progress());
  if (end == RunEnd::interrupted) {
    std::fprintf(stderr, "stopped; go on with: %s\n", resume_command(options).c_str());
    return interrupted_exit_code();
  }
  std::fprintf(stderr,
               "done; try it: gst-launch-1.0 v4l2src ! videoconvert ! unetseg model-file=%s ! "
               "videoconvert ! autovideosink\n",
               fs::absolute(options.output + "/last.safetensors").c_str());
  return kOk;
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
