// SPDX-License-Identifier: MIT
#include "trainer/commands/train_options.h"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <vector>

#include "model/error.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/image_size.h"
#include "trainer/commands/mask_fit.h"
#include "trainer/commands/option_layers.h"
#include "trainer/commands/shipped_weights.h"

namespace unetseg::trainer {
namespace {

const char kData[] = "Data", kNetwork[] = "Network", kOptimisation[] = "Optimisation",
           kAugmentation[] = "Augmentation", kRun[] = "Run";

// Options that replace one value of the configuration each: those that were given are copied.
class ConfigOptions {
 public:
  explicit ConfigOptions(CLI::App* verb) : verb_(verb) {}

  template <typename T>
  CLI::Option* add(const char* group, const char* name, T Config::*member, const char* text) {
    return keep(verb_->add_option(name, given_.get()->*member, text)->capture_default_str(), group,
                member);
  }
  CLI::Option* add_flag(const char* group, const char* name, bool Config::*member,
                        const char* text) {
    return keep(verb_->add_flag(name, given_.get()->*member, text), group, member);
  }

  // Outlives this object.
  std::function<void(Config*)> copier() const {
    return [copies = copies_](Config* config) {
      for (const auto& copy : copies) copy(config);
    };
  }

 private:
  template <typename T>
  CLI::Option* keep(CLI::Option* option, const char* group, T Config::*member) {
    copies_.push_back([option, member, given = given_](Config* config) {
      if (option->count() > 0) config->*member = given.get()->*member;
    });
    return option->group(group);
  }

  CLI::App* verb_;
  std::shared_ptr<Config> given_ = std::make_shared<Config>();
  std::vector<std::function<void(Config*)>> copies_;
};

void add_data_options(CLI::App* verb, TrainOptions* options) {
  verb->add_option(
          "--data", options->data,
          "Folder of the data set (ISIC layout, PH2, or images/ and masks/), or a manifest.csv; "
          "required")
      ->group(kData);
  verb->add_option("--val-fraction", options->validation_fraction,
                   "Share of training images kept for validation where there is no such split")
      ->check(CLI::Range(0.0, 0.5))
      ->capture_default_str()
      ->group(kData);
  verb->add_option("--groups", options->groups,
                   "CSV file with columns id and group: --val-fraction keeps the images of one "
                   "patient or video on one side")
      ->group(kData);
  verb->add_option("--skip-bad", options->skip_bad, "Leave out up to this many unusable pairs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(kData);
  add_mask_fit(verb, &options->mask_fit)->group(kData);
  verb->add_option("--cache", options->cache_folder,
                   "Folder that keeps decoded images for the next run")
      ->group(kData);
}

void add_run_options(CLI::App* verb, TrainOptions* options) {
  verb->add_option("--output", options->output,
                   "Run folder: weights, metrics, curves, panels, checkpoint; required")
      ->group(kRun);
  verb->add_option(
          "--config", options->options_file,
          "TOML or INI file with options, named without dashes, or the config.json of a run; the "
          "command line wins, then variables as UNETSEG_TRAINER_BATCH_SIZE")
      ->group(kRun);
  verb->add_option("--recipe", options->recipe,
                   "Set of defaults: this help shows those of default; seed is the training that "
                   "this project began from")
      ->check(CLI::IsMember({"default", "seed"}))
      ->default_str("default")
      ->group(kRun);
  CLI::Option* resume =
      verb->add_flag("--resume", options->resume,
                     "Go on with the run in --output, whose options need no repeating")
          ->group(kRun);
  CLI::Option* init = verb->get_option("--init")->excludes(resume);
  CLI::Option* dry_run =
      verb->add_flag("--dry-run", options->dry_run,
                     "Two steps, validation, save, load and compare; tells how long the run would "
                     "take, and leaves no files")
          ->excludes(resume)
          ->group(kRun);
  CLI::Option* overfit =
      verb->add_flag(
              "--overfit-batch", options->overfit_batch,
              "Learn the first 16 images by heart, in 300 steps unless --steps says otherwise: "
              "exit code 0 at Dice 0.95, else 1; no files")
          ->excludes(resume)
          ->excludes(dry_run)
          ->excludes(verb->get_option("--teacher"))
          ->excludes(init)
          ->group(kRun);
  verb->add_option("--seeds", options->seeds,
                   "Runs from this many seeds, from --seed on, in seed-1, seed-2, ... of --output")
      ->check(CLI::Range(1, 1000))
      ->excludes(resume)
      ->excludes(dry_run)
      ->excludes(overfit)
      ->capture_default_str()
      ->group(kRun);
  verb->add_flag("--quiet", options->quiet, "Print epochs and problems only")->group(kRun);
}

void add_network_options(ConfigOptions* config) {
  take_shipped_weights(
      config->add(kNetwork, "--init", &Config::init,
                  "Start from these weights (fine-tuning), with their --width and --size where "
                  "none are given; narrower ones are widened"))
      ->check(CLI::ExistingFile)
      ->default_str("");
  config->add(kNetwork, "--architecture", &Config::architecture, "Network")
      ->check(CLI::IsMember({"improved-unet", "seed-unet"}));
  config->add(kNetwork, "--width", &Config::base_width, "Channels of the first level")
      ->check(CLI::Range(1, 256));
  config->add(kNetwork, "--dropout", &Config::dropout, "Probability of dropping a channel")
      ->check(CLI::Range(0.0, 0.9));
}

void add_optimisation_options(ConfigOptions* config) {
  config->add(kOptimisation, "--batch-size", &Config::batch_size, "Images a step")
      ->check(CLI::Range(1, 4096));
  config
      ->add(
          kOptimisation, "--optimizer", &Config::optimizer,
          "sgd: Nesterov, momentum 0.99; nnU-Net trains with --learning-rate 0.01 --schedule poly")
      ->check(CLI::IsMember({"adamw", "adam", "sgd"}));
  config
      ->add(kOptimisation, "--learning-rate", &Config::learning_rate,
            "Peak learning rate; for batches of 16, twice it for four times as many")
      ->check(CLI::PositiveNumber);
  config
      ->add(kOptimisation, "--weight-decay", &Config::weight_decay,
            "On the weights of convolutions")
      ->check(CLI::NonNegativeNumber);
  config
      ->add(kOptimisation, "--schedule", &Config::schedule,
            "To 0 by a cosine or a power of 0.9 after the warm-up, or a tenth on each plateau of "
            "the loss")
      ->check(CLI::IsMember({"cosine", "poly", "plateau"}));
  config->add(kOptimisation, "--warm-up", &Config::warm_up, "Share of the steps")
      ->check(CLI::Range(0.0, 0.5));
  config->add(kOptimisation, "--loss", &Config::loss, "Loss")
      ->check(CLI::IsMember({"dice+bce", "seed-dice"}));
  config->add_flag(kOptimisation, "--deep-supervision,!--no-deep-supervision",
                   &Config::deep_supervision,
                   "Losses at half and quarter size too (on by default)");
  take_shipped_weights(
      config->add(kOptimisation, "--teacher", &Config::teacher,
                  "Weights to learn from as well as from the masks; of several, from their mean"))
      ->check(CLI::ExistingFile)
      ->default_str("");
  config
      ->add(kOptimisation, "--teacher-weight", &Config::teacher_weight,
            "Share of the teacher's probabilities in the truth; up to a half, the masks alone "
            "decide what is lesion")
      ->check(CLI::Range(0.0, 1.0));
  config
      ->add(
          kOptimisation, "--teacher-tta", &Config::teacher_tta,
          "Copies of each picture that the teacher looks at, once, before training: flips 4, d4 8")
      ->check(CLI::IsMember({"none", "flips", "d4"}));
  config->add(kOptimisation, "--clip", &Config::clip, "Largest gradient norm; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  config
      ->add(kOptimisation, "--ema", &Config::ema,
            "Length of the weights' average, share of the steps; 0: none")
      ->check(CLI::Range(0.0, 1.0));
}

void add_augmentation_options(ConfigOptions* config) {
  config->add(kAugmentation, "--augmentation", &Config::augmentation, "Augmentation")
      ->check(CLI::IsMember({"none", "light", "default", "strong"}));
  config
      ->add(kAugmentation, "--no-lesion", &Config::no_lesion,
            "Share of the frames without a lesion: bare skin of the pictures, pictures with their "
            "lesion erased, no skin at all")
      ->check(CLI::Range(0.0, 1.0));
  config
      ->add(kAugmentation, "--supersampling", &Config::supersampling,
            "Images are kept at up to this multiple of --size")
      ->check(CLI::Range(1, 4));
}

void add_machine_options(ConfigOptions* config) {
  config->add(kRun, "--seed", &Config::seed, "Of every random number");
  config->add(kRun, "--device", &Config::device, "auto, cpu, cuda, cuda:N");
  config
      ->add(kRun, "--precision", &Config::precision,
            "Of the convolutions; auto: bf16 where the hardware has it")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}));
  config->add(kRun, "--threads", &Config::threads, "CPU threads; 0: all cores");
  config
      ->add(kRun, "--memory-format", &Config::memory_format,
            "How images lie in memory; auto: channels-last, and the faster one where a GPU has no "
            "kernels for it")
      ->check(CLI::IsMember({"auto", "contiguous", "channels-last"}));
  config->add_flag(kRun, "--deterministic", &Config::deterministic,
                   "The same numbers each time on a GPU too, slower; on a CPU it is always so");
}

}  // namespace

std::shared_ptr<TrainOptions> add_train_options(CLI::App* verb) {
  auto options = std::make_shared<TrainOptions>();
  ConfigOptions config(verb);
  add_data_options(verb, options.get());
  auto size = std::make_shared<std::string>("128"), time_budget = std::make_shared<std::string>();
  CLI::Option* size_option =
      verb->add_option("--size", *size, "Network input, pixels: 128 or 256x192")
          ->capture_default_str()
          ->group(kNetwork);
  add_network_options(&config);
  CLI::Option* epochs =
      config.add(kOptimisation, "--epochs", &Config::epochs, "Passes over the training set")
          ->check(CLI::Range(1, 100000));
  CLI::Option* budget = verb->add_option("--time-budget", *time_budget,
                                         "End within this time of the first step: 90m, 1.5h; "
                                         "plain numbers are minutes")
                            ->excludes(epochs)
                            ->group(kOptimisation);
  CLI::Option* steps =
      config
          .add(kOptimisation, "--steps", &Config::steps,
               "Exactly so many steps, as a run that a time budget planned had; 0: by --epochs")
          ->check(CLI::NonNegativeNumber)
          ->excludes(epochs)
          ->excludes(budget);
  add_optimisation_options(&config);
  add_augmentation_options(&config);
  add_run_options(verb, options.get());
  add_machine_options(&config);
  options->configure = [=, copy = config.copier()](Config base) {
    copy(&base);
    // One of the three says how long the run is.
    if (epochs->count() > 0 || budget->count() > 0) base.steps = 0;
    if (epochs->count() > 0 || steps->count() > 0) base.time_budget = 0;
    if (size_option->count() > 0) parse_size(*size, &base.input_width, &base.input_height);
    if (budget->count() > 0) base.time_budget = parse_duration(*time_budget);
    return base;
  };
  return options;
}

void read_option_layers(CLI::App* verb, const TrainOptions& options) {
  CLI::Option* rate = verb->get_option("--learning-rate");
  const bool rate_was_typed = rate->count() > 0;
  apply_environment(*verb);
  if (!options.options_file.empty()) apply_options_file(*verb, options.options_file);
  // A resumed run may go on at another rate, but not because a variable happens to be set.
  if (options.resume && !rate_was_typed) rate->clear();
  if (options.resume && !options.output.empty()) {
    const std::string kept = options.output + "/config.json";
    if (std::filesystem::exists(kept))
      apply_options_of_data(*verb, kept);
    else if (options.data.empty())
      throw Error(Fault::settings, options.output + " holds no run to resume");
  }
  if (options.data.empty()) throw Error(Fault::settings, "--data is required");
  if (options.output.empty() && !options.overfit_batch)
    throw Error(Fault::settings, "--output is required");
}

}  // namespace unetseg::trainer
