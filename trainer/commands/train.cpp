// SPDX-License-Identifier: MIT
// `train`: from a folder of images and masks to a run folder with weights.
#include <CLI/CLI.hpp>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/csrc/api/include/torch/version.h>
#include <sys/file.h>
#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "model/engine/engine.h"
#include "model/network/stored_parameters.h"
#include "model/storage/atomic_file.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/image_size.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/run_report.h"
#include "trainer/commands/training_data.h"
#include "trainer/train/run.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string data, output, recipe = "default", size, time_budget, init, cache_folder,
                            mask_fit = "auto";
  bool resume = false, quiet = false;
  int skip_bad = 0;
  double validation_fraction = 0;
  Config overrides;  // values given on the command line; which ones, CLI11 knows
};

// Holds the run folder against a second trainer, for as long as the process lives.
class RunFolder {
 public:
  RunFolder(const std::string& path, bool resume) : path_(path) {
    std::error_code error;
    const bool was_there = fs::exists(path) && !fs::is_empty(path, error);
    if (was_there && !resume)
      throw Error(
          Fault::settings,
          path + " is not empty: give another --output, or --resume to go on with that run");
    if (resume && !was_there) throw Error(Fault::settings, path + " holds no run to resume");
    fs::create_directories(path + "/checkpoint", error);
    if (!error) fs::create_directories(path + "/panels", error);
    if (error) throw Error(Fault::write, path + " cannot be created", error.message());
    lock_ = open((path + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (lock_ < 0) throw Error(Fault::write, path + " cannot be written to", std::strerror(errno));
    if (flock(lock_, LOCK_EX | LOCK_NB) != 0)
      throw Error(Fault::write,
                  path + " is in use by another trainer: wait for it or give another --output");
  }
  ~RunFolder() {
    unlink((path_ + "/lock").c_str());
    close(lock_);
  }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

 private:
  std::string path_;
  int lock_ = -1;
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

int train(const Options& options, Config config) {
  const std::atomic<bool>& stop = stop_on_signal();
  if (!options.size.empty()) parse_size(options.size, &config.input_width, &config.input_height);
  if (!options.time_budget.empty()) config.time_budget = parse_duration(options.time_budget);
  const RunFolder folder(options.output, options.resume);
  config = resolved(config);
  at::set_num_threads(static_cast<int>(config.threads));

  TrainingDataOptions data_options;
  data_options.data = options.data;
  data_options.cache_folder = options.cache_folder;
  data_options.width = config.input_width;
  data_options.height = config.input_height;
  data_options.supersampling = config.supersampling;
  data_options.validation_fraction = options.validation_fraction;
  data_options.skip_bad = options.skip_bad;
  data_options.stretch_masks = options.mask_fit == "stretch";
  const TrainingData data = load_training_data(data_options, stop);

  RunReport report(options.output, data.validation, threshold_of(config), options.quiet);
  TrainingRun run(config, data.train, data.validation, options.output, data.sha256,
                  report.events());
  if (options.resume) {
    std::string warning;
    const Checkpoint checkpoint = load_checkpoint(options.output + "/checkpoint", &warning);
    if (!warning.empty()) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    const std::vector<std::string> keys = differing_keys(checkpoint.config, config);
    if (!keys.empty())
      throw Error(Fault::settings,
                  fmt::format("this run was started with other values of {}: give the same, "
                              "or start a new run",
                              fmt::join(keys, ", ")));
    if (checkpoint.data_sha256 != data.sha256)
      throw Error(Fault::settings, "the data set is not the one that this run was started with");
    run.resume(checkpoint);
    std::fprintf(stderr, "going on from step %lld\n",
                 static_cast<long long>(checkpoint.progress.step));
  } else if (!options.init.empty()) {
    run.start_from(parameters_of(read_safetensors(options.init)));
  }
  write_file_atomically(options.output + "/config.json", to_json(config).dump(2) + "\n");

  const RunEnd end = run.run(stop);
  report.finish(run.progress());
  if (end == RunEnd::interrupted) {
    std::fprintf(stderr,
                 "stopped; go on with: unetseg-trainer train --data %s --output %s --resume\n",
                 options.data.c_str(), options.output.c_str());
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
  verb->set_config("--config", "", "Read options from a TOML or INI file");
  verb->allow_config_extras(CLI::config_extras_mode::error);
  verb->add_option("--data", options->data,
                   "Folder of the data set (ISIC layout, or images/ and masks/)")
      ->required();
  verb->add_option("--output", options->output,
                   "Run folder: weights, metrics, curves, panels, checkpoint")
      ->required();
  verb->add_option("--recipe", options->recipe, "Set of defaults for what follows")
      ->check(CLI::IsMember({"default", "seed"}))
      ->capture_default_str();
  verb->add_flag("--resume", options->resume, "Go on with the run in --output");
  verb->add_option("--init", options->init, "Start from these weights (fine-tuning)")
      ->check(CLI::ExistingFile);
  verb->add_option("--size", options->size, "Network input, pixels: 128 or 256x192");
  verb->add_option("--time-budget", options->time_budget,
                   "End within this time: 90m, 1.5h; plain numbers are minutes");
  verb->add_option("--val-fraction", options->validation_fraction,
                   "Share of training images kept for validation where there is no such split")
      ->check(CLI::Range(0.0, 0.5));
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
  add("--epochs", &Config::epochs, "Passes over the training set")->check(CLI::Range(1, 100000));
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
      ->check(CLI::IsMember({"none", "default"}));
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
      Config config = recipe(options->recipe);
      for (const auto& copy : *apply) copy(&config);
      return train(*options, config);
    };
  });
}

}  // namespace unetseg::trainer
