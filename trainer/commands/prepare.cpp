// SPDX-License-Identifier: MIT
// `check` and `cache`: a data set looked over, and decoded for a machine without image libraries.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "trainer/commands/commands.h"
#include "trainer/commands/image_size.h"
#include "trainer/commands/interrupt.h"
#include "trainer/commands/mask_fit.h"
#include "trainer/commands/training_data.h"
#include "trainer/data/check_dataset.h"
#include "trainer/data/folder.h"
#include "trainer/report/progress.h"

namespace unetseg::trainer {
namespace {

struct Options {
  TrainingDataOptions data;
  std::string size = "128", output, manifest, mask_fit = kMaskFitAuto;
};

int check(const Options& options) {
  ProgressLine progress("checking");
  const DatasetCheck check = check_dataset(
      options.data.data, options.mask_fit == kMaskFitStretch, options.data.workers,
      [&](std::size_t done, std::size_t total) { progress.update(done, total); },
      &stop_on_signal());
  progress.finish();
  const Dataset& found = check.dataset;
  fmt::print("{}: {}\n", found.root, found.layout.empty() ? "nothing recognised" : found.layout);
  for (const std::string& line : check.summary) fmt::print("{}\n", line);
  for (const std::string& note : check.notes) fmt::print("  {}\n", note);
  if (!check.faults.empty()) throw DataError(check.faults);
  fmt::print("no faults: {} training, {} validation and {} test images with masks\n",
             found.train.size(), found.validation.size(), found.test.size());
  if (!options.manifest.empty()) write_manifest(options.manifest, check.manifest);
  if (found.validation.empty())
    fmt::print("there are no validation images: train with --val-fraction 0.1\n");
  return kOk;
}

int cache(Options options) {
  parse_size(options.size, &options.data.width, &options.data.height);
  options.data.stretch_masks = options.mask_fit == kMaskFitStretch;
  make_folder(options.output);
  const TrainingData data = load_training_data(options.data, stop_on_signal());
  write_decoded(cached_split_path(options.output, "train"), data.train);
  write_decoded(cached_split_path(options.output, "validation"), data.validation);
  fmt::print("train on it with: unetseg-trainer train --data {} --size {} --output RUN\n",
             options.output, options.size);
  return kOk;
}

}  // namespace

void add_check(CLI::App& app, Action* action) {
  CLI::App* verb = app.add_subcommand("check", "List everything that is wrong with a data set");
  auto options = std::make_shared<Options>();
  verb->add_option("data", options->data.data, "Folder of the data set, or a manifest.csv")
      ->required();
  verb->add_option("--manifest", options->manifest,
                   "Write the splits with every file's SHA-256 here, to train from in place of the "
                   "folder");
  add_mask_fit(verb, &options->mask_fit);
  verb->callback([=] { *action = [=] { return check(*options); }; });
}

void add_cache(CLI::App& app, Action* action) {
  CLI::App* verb =
      app.add_subcommand("cache", "Decode a data set once, for training on another machine");
  auto options = std::make_shared<Options>();
  verb->add_option("--data", options->data.data, "Folder of the data set, or a manifest.csv")
      ->required();
  verb->add_option("--output", options->output, "Folder for the decoded set")->required();
  verb->add_option("--size", options->size, "Network input, pixels: 128 or 256x192")
      ->capture_default_str();
  verb->add_option("--supersampling", options->data.supersampling,
                   "Images are kept at up to this multiple of --size")
      ->check(CLI::Range(1, 4))
      ->capture_default_str();
  verb->add_option("--skip-bad", options->data.skip_bad, "Leave out up to this many unusable pairs")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--val-fraction", options->data.validation_fraction,
                   "Share of training images kept for validation where there is no such split")
      ->check(CLI::Range(0.0, 0.5));
  verb->add_option("--groups", options->data.groups,
                   "CSV file with columns id and group: --val-fraction keeps the images of one "
                   "patient or video on one side");
  add_mask_fit(verb, &options->mask_fit);
  verb->callback([=] { *action = [=] { return cache(*options); }; });
}

}  // namespace unetseg::trainer
