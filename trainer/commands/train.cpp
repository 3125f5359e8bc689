// SPDX-License-Identifier: MIT
// `train`: from a folder of images and masks to a run folder with weights.
#include <CLI/CLI.hpp>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/api/include/torch/version.h>
#include <glib.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <thread>

#include "model/engine/engine.h"
#include "model/network/float32.h"
#include "model/network/stored_parameters.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/image_size.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/options_file.h"
#include "trainer/commands/run_folder.h"
#include "trainer/commands/run_report.h"
#include "trainer/commands/training_data.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data, output, options_file, recipe, size, time_budget, init, cache_folder, groups,
      mask_fit = "auto";
  bool resume = false, quiet = false;
  int skip_bad = 0;
  double validation_fraction = 0;
  Config overrides;  // values given on the command line; which ones, CLI11 knows
};

bool has_real_bf16(const std::string& device) {
  if (device != "cpu") return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") && TORCH_VERSION_MAJOR >= 2;
#else
  return false;
#endif
}

// What runs: devices and precisions named, nothing left on "auto".
Config resolved(Config config) {
  std::string notice;
  const std::string asked = config.device;
  config.device = probe_device(asked, &notice);
  if (!notice.empty()) std::fprintf(stderr, "warning: %s\n", notice.c_str());
  if (config.precision == "auto") config.precision = has_real_bf16(config.device) ? "bf16" : "fp32";
  if (config.threads == 0) config.threads = std::max(1u, std::thread::hardware_concurrency());
  std::fprintf(stderr, "device %s%s, %s, %u threads\n", config.device.c_str(),
               asked == "auto" && config.device == "cpu" ? " (no usable GPU)" : "",
               config.precision.c_str(), config.threads);
  return config;
}

// What a run writes: two checkpoints and one under way (values, two moments, average), and two
// files of weights; the rest is for pictures and metrics.
std::uint64_t bytes_of_run(const Config& config) {
  const auto parameters = static_cast<std::uint64_t>(
      total_elements(network_layout(config.architecture, config.base_width)));
  return 3 * 16 * parameters + 2 * 4 * parameters + 20000000;
}

// The command that goes on with this run: its configuration comes from the checkpoint.
std::string resume_command(const Options& options) {
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

TrainingData load_data(const Options& options, const Config& config,
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

void require_same_run(const Checkpoint& checkpoint, const Config& config) {
  const std::vector<std::string> keys = differing_keys(checkpoint.config, config);
  if (!keys.empty())
    throw Error(Fault::settings,
                fmt::format("this run was started with other values of {}: leave them out, or "
                            "start a new run",
                            fmt::join(keys, ", ")));
  if (checkpoint.config.device != config.device || checkpoint.config.threads != config.threads)
    std::fprintf(stderr,
                 "warning: this run was started on %s with %u threads: its numbers will differ in "
                 "their last digits from those of an unbroken run\n",
                 checkpoint.config.device.c_str(), checkpoint.config.threads);
}

Parameters initial_parameters(const std::string& path) {
  const SafetensorsFile file = read_safetensors(path);
  const UnetsegFit fit = card_of(file).fit;
  if (fit != UNETSEG_FIT_STRETCH)
    throw Error(Fault::settings,
                fmt::format("{} takes pictures with fit={}, and training stretches them: start "
                            "from weights with fit=stretch",
                            path, fit_name(fit)));
  return parameters_of(file);
}

// `configure` puts what the command line says over a recipe's values, or over those of the run that
// is resumed.
int train(const Options& options, const std::function<Config(Config)>& configure) {
  const std::atomic<bool>& stop = stop_on_signal();
  const RunFolder folder(options.output, options.resume);
  std::optional<Checkpoint> checkpoint;
  if (options.resume) {
    std::string warning;
    checkpoint = load_checkpoint(options.output + "/checkpoint", &warning);
    if (!warning.empty()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  const std::string name = options.recipe.empty() ? "default" : options.recipe;
  Config config = configure(checkpoint ? checkpoint->config : recipe(name));
  if (!options.recipe.empty()) config.recipe = options.recipe;
  config = resolved(config);
  if (checkpoint) require_same_run(*checkpoint, config);
  folder.require_space(bytes_of_run(config));
  // The run's threads each take samples of their own; LibTorch adds none inside.
  at::set_num_threads(config.device == "cpu" ? 1 : static_cast<int>(config.threads));
  forbid_tf32();

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
  auto options = std::make_shared<Options>();
  Config* o = &options->overrides;
  verb->add_option("--config", options->options_file,
                   "TOML or INI file with options, named without dashes; the command line wins");
  verb->add_option(
          "--data", options->data,
          "Folder of the data set (ISIC layout, PH2, or images/ and masks/), or a manifest.csv")
      ->required();
  verb->add_option("--output", options->output,
                   "Run folder: weights, metrics, curves, panels, checkpoint")
      ->required();
  verb->add_option("--recipe", options->recipe, "Set of defaults for what follows")
      ->check(CLI::IsMember({"default", "seed"}))
      ->default_str("default");
  CLI::Option* resume =
      verb->add_flag("--resume", options->resume,
                     "Go on with the run in --output, whose options need no repeating");
  verb->add_option("--init", options->init, "Start from these weights (fine-tuning)")
      ->check(CLI::ExistingFile)
      ->excludes(resume);
  verb->add_option("--size", options->size, "Network input, pixels: 128 or 256x192");
  CLI::Option* budget =
      verb->add_option("--time-budget", options->time_budget,
                       "End within this time: 90m, 1.5h; plain numbers are minutes");
  verb->add_option("--val-fraction", options->validation_fraction,
                   "Share of training images kept for validation where there is no such split")
      ->check(CLI::Range(0.0, 0.5));
  verb->add_option("--groups", options->groups,
                   "CSV file with columns id and group: --val-fraction keeps the images of one "
                   "patient or video on one side");
  verb->add_option("--skip-bad", options->skip_bad, "Leave out up to this many unusable pairs")
      ->check(CLI::NonNegativeNumber);
  verb->add_option(
          "--mask-fit", options->mask_fit,
          "auto refuses masks of another aspect ratio than their image; stretch takes them")
      ->check(CLI::IsMember({"auto", "stretch"}))
      ->capture_default_str();
  verb->add_option("--cache", options->cache_folder,
                   "Folder that keeps decoded images for the next run");
  verb->add_flag("--quiet", options->quiet, "Print epochs and problems only");

  // Options that replace one value of the recipe: `apply` copies those that were given.
  auto apply = std::make_shared<std::vector<std::function<void(Config*)>>>();
  const auto add = [&](const char* name, auto Config::*member, const char* text) {
    CLI::Option* option = verb->add_option(name, o->*member, text);
    apply->push_back([=](Config* config) {
      if (option->count() > 0) config->*member = options->overrides.*member;
    });
    return option;
  };
  add("--architecture", &Config::architecture, "Network")
      ->check(CLI::IsMember({"improved-unet", "seed-unet"}));
  add("--width", &Config::base_width, "Channels of the first level")->check(CLI::Range(1, 256));
  CLI::Option* epochs = add("--epochs", &Config::epochs, "Passes over the training set");
  epochs->check(CLI::Range(1, 100000))->excludes(budget);
  add("--batch-size", &Config::batch_size, "Images a step")->check(CLI::Range(1, 4096));
  add("--learning-rate", &Config::learning_rate, "Peak learning rate")->check(CLI::PositiveNumber);
  add("--weight-decay", &Config::weight_decay, "AdamW: on convolution weights")
      ->check(CLI::NonNegativeNumber);
  add("--optimizer", &Config::optimizer, "Optimizer")->check(CLI::IsMember({"adamw", "adam"}));
  add("--schedule", &Config::schedule, "Learning rate over time")
      ->check(CLI::IsMember({"cosine", "plateau"}));
  add("--warm-up", &Config::warm_up, "Share of the steps")->check(CLI::Range(0.0, 0.5));
  add("--loss", &Config::loss, "Loss")->check(CLI::IsMember({"dice+bce", "seed-dice"}));
  add("--clip", &Config::clip, "Largest gradient norm; 0: no limit")->check(CLI::NonNegativeNumber);
  add("--ema", &Config::ema, "Length of the weights' average, share of the steps; 0: none")
      ->check(CLI::Range(0.0, 1.0));
  add("--dropout", &Config::dropout, "Probability of dropping a channel")
      ->check(CLI::Range(0.0, 0.9));
  add("--augmentation", &Config::augmentation, "Augmentation")
      ->check(CLI::IsMember({"none", "light", "default", "strong"}));
  add("--supersampling", &Config::supersampling, "Images are kept at up to this multiple of --size")
      ->check(CLI::Range(1, 4));
  add("--seed", &Config::seed, "Of every random number");
  add("--device", &Config::device, "auto, cpu, cuda, cuda:N");
  add("--precision", &Config::precision,
      "Of the convolutions; auto: bf16 where the hardware has it")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}));
  add("--threads", &Config::threads, "CPU threads; 0: all cores");
  CLI::Option* deep = verb->add_flag("--deep-supervision,!--no-deep-supervision",
                                     o->deep_supervision, "Losses at half and quarter size too");
  apply->push_back([=](Config* config) {
    if (deep->count() > 0) config->deep_supervision = options->overrides.deep_supervision;
  });

  verb->callback([=] {
    *action = [=] {
      if (!options->options_file.empty()) apply_options_file(*verb, options->options_file);
      return train(*options, [=](Config config) {
        for (const auto& copy : *apply) copy(&config);
        if (epochs->count() > 0) config.time_budget = 0;
        if (!options->size.empty())
          parse_size(options->size, &config.input_width, &config.input_height);
        if (!options->time_budget.empty())
          config.time_budget = parse_duration(options->time_budget);
        return config;
      });
    };
  });
}

}  // namespace unetseg::trainer
