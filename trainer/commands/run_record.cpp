// SPDX-License-Identifier: MIT
#include "trainer/commands/run_record.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glib.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "model/storage/atomic_file.h"
#include "trainer/commands/build.h"
#include "trainer/commands/durations.h"
#include "trainer/commands/version.h"
#include "trainer/train/flat_parameters.h"

namespace unetseg::trainer {
namespace {

std::string utc_now() {
  GDateTime* now = g_date_time_new_now_utc();
  char* text = g_date_time_format(now, "%Y-%m-%dT%H:%M:%SZ");
  const std::string copy = text;
  g_free(text);
  g_date_time_unref(now);
  return copy;
}

// JSON has no NaN.
nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

// Valid UTF-8 whatever bytes the paths hold.
std::string readable_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string begun_with(const Config& config) {
  return config.init.empty() ? "" : ", begun with " + config.init;
}

std::string taught_by(const Config& config) {
  if (config.teacher.empty()) return "";
  return fmt::format(", taught by {} (weight {:g}, test-time augmentation {})",
                     fmt::join(config.teacher, ", "), config.teacher_weight, config.teacher_tta);
}

}  // namespace

RunRecord::RunRecord(std::string folder, std::string data, std::string data_sha256,
                     std::size_t training, std::size_t validation, const TrainingRun& run)
    : folder_(std::move(folder)),
      data_(std::move(data)),
      data_sha256_(std::move(data_sha256)),
      training_(training),
      validation_(validation),
      run_(run),
      started_(utc_now()) {}

void RunRecord::write(const std::string& end) const {
  const Config& config = run_.config();
  const ProgressState& state = run_.progress();
  nlohmann::ordered_json json;
  json["program"] = "unetseg-trainer " UNETSEG_VERSION;
  json["commit"] = UNETSEG_COMMIT;
  json["libtorch"] = TORCH_VERSION;
  json["commands"] = state.commands;
  json["device"] = config.device;
  json["precision"] = config.precision;
  json["threads"] = config.threads;
  json["data"] = data_;
  json["data-sha256"] = data_sha256_;
  json["training-images"] = training_;
  json["validation-images"] = validation_;
  json["started"] = started_;
  json["ended"] = end == "running" ? nlohmann::ordered_json() : nlohmann::ordered_json(utc_now());
  json["end"] = end;
  json["seconds"] = number(state.seconds);
  json["steps"] = state.step;
  json["total-steps"] = state.total_steps;
  json["epochs"] = state.history.size();
  json["best-epoch"] = state.best_epoch;
  if (const EpochRecord* last = last_scored(state.history)) {
    json["training-loss"] = number(last->train_loss);
    json["validation-loss"] = number(last->validation_loss);
    json["validation-dice"] = number(last->validation_dice);
    json["validation-jaccard"] = number(last->validation_jaccard);
  }
  write_file_atomically(folder_ + "/run.json", readable_text(json));
}

void RunRecord::write_card() const {
  const Config& config = run_.config();
  const ProgressState& state = run_.progress();
  const ModelCard card = run_.card();
  const auto parameters = total_elements(network_layout(config.architecture, config.base_width));
  std::string text = fmt::format(
      "# last.safetensors\n"
      "`{}`, base width {} ({} parameters), input {}x{}, half precision.\n\n"
      "**Intended use:** research. Not a medical device; no diagnosis may rest on it.\n\n"
      "| | |\n|---|---|\n",
      config.architecture, config.base_width, parameters, config.input_width, config.input_height);
  const auto row = [&](const char* name, const std::string& value) {
    text += fmt::format("| {} | {} |\n", name, value);
  };
  row("data", fmt::format("{}: {} training and {} validation images, which also chose among "
                          "epochs. Hash of all ids and contents: `{}`",
                          data_, training_, validation_, data_sha256_));
  row("recipe",
      fmt::format("{}: {} {:g}, weight decay {:g}, batch {}, {} with {:g} % warm-up, "
                  "clip {:g}, {}{}{}{}, average over {:g} % of the steps, dropout {:g}, "
                  "augmentation {}, seed {}; {} steps, {} epochs. All of it: config.json",
                  config.recipe, config.optimizer, config.learning_rate, config.weight_decay,
                  config.batch_size, config.schedule, 100 * config.warm_up, config.clip,
                  config.loss, config.deep_supervision ? " with deep supervision" : "",
                  begun_with(config), taught_by(config), 100 * config.ema, config.dropout,
                  config.augmentation, config.seed, state.step, state.history.size()));
  row("command", fmt::format("`{}`", fmt::join(state.commands, "`, then `")));
  row("time", fmt::format("{} on {}, {} threads, {}", duration_text(state.seconds), config.device,
                          config.threads, config.precision));
  row("program", program_version());
  row("threshold, clean-up",
      fmt::format("{:g}; {}", card.threshold,
                  card.clean_up.largest_only ? "largest region only, holes filled" : "none"));
  row("curves", "[curves.png](curves.png), numbers in [metrics.csv](metrics.csv)");
  if (const EpochRecord* last = last_scored(state.history)) {
    text += fmt::format(
        "\n## Scores\n"
        "{} validation images, masks at 512 pixels at most, without clean-up, mean over images: "
        "Dice {:.4f}, Jaccard {:.4f}.\n`unetseg-trainer evaluate` scores them at the masks' own "
        "size, with intervals.\n",
        validation_, last->validation_dice, last->validation_jaccard);
  }
  write_file_atomically(folder_ + "/card.md", text);
}

}  // namespace unetseg::trainer
