// SPDX-License-Identifier: MIT
// `inspect`: what is in a weights file or a checkpoint.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "model/engine/engines.h"
#include "model/engine/names.h"
#include "model/network/stored_parameters.h"
#include "trainer/commands/commands.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/shipped_weights.h"
#include "trainer/train/progress_state.h"

namespace unetseg::trainer {
namespace {

struct Options {
  std::string file;
  bool tensors = false, rehash = false, engines = false;
  unsigned threads = 0;
};

void print_card(const ModelCard& card) {
  const auto on = [](bool value) { return value ? "on" : "off"; };
  fmt::print("architecture   {}, base width {}\n", card.architecture, card.base_width);
  fmt::print("input          {}x{}, {}; mean {} {} {}, standard deviation {} {} {}\n",
             card.input_width, card.input_height, fit_name(card.fit), card.normalisation.mean[0],
             card.normalisation.mean[1], card.normalisation.mean[2], card.normalisation.stddev[0],
             card.normalisation.stddev[1], card.normalisation.stddev[2]);
  fmt::print("threshold      {}\n", card.threshold);
  fmt::print(
      "clean-up       largest region only {}, holes filled {}, smallest area {}, least "
      "confidence {}\n",
      on(card.clean_up.largest_only), on(card.clean_up.fill_holes), card.clean_up.min_area,
      card.clean_up.min_confidence);
  if (!card.name.empty()) fmt::print("name           {}\n", card.name);
  fmt::print("sha256         {}\n", card.sha256.empty() ? "none" : card.sha256);
  for (const auto& note : card.notes) fmt::print("{:<14} {}\n", note.first, note.second);
}

void print_checkpoint(const std::map<std::string, std::string>& metadata) {
  const ProgressState state = progress_from_json(metadata.at("progress"));
  fmt::print(
      "checkpoint of a training run\nstep           {} of {}\nepoch          {}\ntime           "
      "{}\n",
      state.step, state.total_steps, state.epoch + 1, duration_text(state.seconds));
  if (const EpochRecord* last = last_scored(state.history))
    fmt::print("validation     Dice {:.4f}, Jaccard {:.4f} (epoch {})\n", last->validation_dice,
               last->validation_jaccard, last->epoch);
  fmt::print("config         {}\n", metadata.at("config"));
}

void print_engines(const Options& options, const std::string& device) {
  UnetsegOpenOptions open = {};
  open.model_file = options.file.c_str();
  open.device = device.c_str();
  open.threads = options.threads;
  fmt::print("engines on {}, two pictures, least of all rounds:\n",
             device == "cpu" ? "this machine's CPU" : device);
  for (const EngineTrial& trial : try_engines(open)) {
    if (!trial.refused.empty()) {
      fmt::print("  {:<10} {} not used: {}\n", trial.name, name_of(trial.precision), trial.refused);
      continue;
    }
    fmt::print("  {:<10} {} {:8.2f} ms, largest difference {:.1e}: {}{}\n", trial.name,
               trial.engine->precision(), trial.milliseconds, trial.largest_difference,
               trial.passed ? "agrees" : "differs too much, not used",
               trial.chosen ? ", chosen by auto" : "");
  }
}

int inspect(const Options& options) {
  if (options.rehash) {
    rehash_safetensors(options.file);
    fmt::print("{}: checksum written anew\n", options.file);
    return kOk;
  }
  const SafetensorsFile file = read_safetensors(options.file);
  std::size_t elements = 0;
  for (const TensorEntry& tensor : file.tensors) elements += tensor.bytes / size_of(tensor.dtype);
  fmt::print("{}: {} tensors, {} values, {} bytes\n", options.file, file.tensors.size(), elements,
             file.data.size());
  if (file.metadata.count("progress") && file.metadata.count("config")) {
    print_checkpoint(file.metadata);
  } else {
    const ModelCard card = card_of(file);
    print_card(card);
    make_network(card.architecture, card.base_width, parameters_of(file));
    fmt::print("the tensors fit the architecture\n");
    if (options.engines) {
      print_engines(options, "cpu");
      const std::string fastest_device = probe_device("auto", nullptr);
      if (fastest_device != "cpu") print_engines(options, fastest_device);
    }
  }
  if (options.tensors)
    for (const TensorEntry& tensor : file.tensors)
      fmt::print("  {:<36} {:<4} [{}]\n", tensor.name, name_of(tensor.dtype),
                 fmt::join(tensor.shape, ", "));
  return kOk;
}

}  // namespace

void add_inspect(CLI::App& app, Action* action) {
  CLI::App* verb = app.add_subcommand("inspect", "Show what is in a weights file or a checkpoint");
  auto options = std::make_shared<Options>();
  take_shipped_weights(
      verb->add_option("file", options->file, "A safetensors file, or fast or best"))
      ->required();
  verb->add_flag("--tensors", options->tensors, "List every tensor");
  verb->add_flag("--engines", options->engines,
                 "Try every engine on this machine: its time, whether it agrees, which is chosen");
  verb->add_option("--threads", options->threads, "For --engines: CPU threads; 0: all cores")
      ->capture_default_str();
  verb->add_flag("--rehash", options->rehash,
                 "Write the file's checksum anew, after you changed it on purpose");
  verb->callback([=] { *action = [=] { return inspect(*options); }; });
}

}  // namespace unetseg::trainer
