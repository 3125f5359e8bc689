// SPDX-License-Identifier: MIT
#include "trainer/train/run_card.h"

#include <fmt/format.h>

#include <cmath>
#include <filesystem>

namespace unetseg::trainer {

namespace {

// Below it are one in 500 masks on training images, and a third of what is found where there is no
// lesion.
constexpr double kLeastConfidence = 0.45;

// Weights travel: of the files that they began with and were taught by, their names and hashes
// alone.
Config without_folders(Config config) {
  const auto shorten = [](std::string* path) {
    *path = std::filesystem::path(*path).filename().string();
  };
  shorten(&config.init);
  for (std::string& path : config.teacher) shorten(&path);
  return config;
}

}  // namespace

double threshold_of(const Config& config) {
  return config.loss == "seed-dice" ? 1 / (1 + std::exp(-0.5)) : 0.5;
}

ModelCard card_of_run(const Config& config, const ProgressState& state, std::size_t training,
                      std::size_t validation, const std::string& data_sha256) {
  ModelCard card;
  card.architecture = config.architecture;
  card.base_width = config.base_width;
  card.input_width = config.input_width;
  card.input_height = config.input_height;
  card.threshold = threshold_of(config);
  if (config.recipe == "default") {
    card.clean_up.largest_only = card.clean_up.fill_holes = true;
    card.clean_up.min_confidence = kLeastConfidence;
  }
  card.notes["recipe"] = to_json_text(without_folders(config));
  card.notes["data_sha256"] = data_sha256;
  card.notes["data"] = fmt::format("{} training and {} validation images", training, validation);
  card.notes["steps"] = std::to_string(state.step);
  if (const EpochRecord* last = last_scored(state.history)) {
    card.notes["validation"] = fmt::format(
        "mean Dice {:.4f}, mean Jaccard {:.4f} over {} images, masks at 512 pixels at "
        "most, without clean-up",
        last->validation_dice, last->validation_jaccard, validation);
  }
  card.notes["intended_use"] = "research; not a medical device";
  return card;
}

}  // namespace unetseg::trainer
