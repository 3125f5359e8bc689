// SPDX-License-Identifier: MIT
// Everything that decides a training run, as it is saved in config.json.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace unetseg::trainer {

struct Config {
  std::string recipe = "default";
  std::string architecture = "improved-unet";
  int base_width = 16;
  int input_width = 128, input_height = 128;
  int supersampling =
      2;  // images are kept at this multiple of the input size where they have the detail
  int batch_size = 16;
  int epochs = 40;
  double time_budget = 0;         // seconds; 0: none. Sets the number of steps in place of `epochs`
  std::int64_t steps = 0;         // 0: by one of these two; else exactly so many
  std::string loss = "dice+bce";  // or "seed-dice"
  std::string optimizer = "adamw";  // adam, sgd
  double learning_rate = 2e-3;
  double weight_decay = 1e-2;
  std::string schedule = "cosine";  // poly, plateau
  double warm_up = 0.03;            // share of the steps
  double clip = 5;                  // global gradient norm; 0: off
  double ema = 0.05;                // averaging length as a share of the steps; 0: off
  double dropout = 0.3;
  bool deep_supervision = true;
  std::string init, init_sha256;  // weights file to begin with, and of its tensors; empty: none
  std::vector<std::string> teacher = {};         // weights files; none: the truth alone teaches
  std::vector<std::string> teacher_sha256 = {};  // of their tensors
  double teacher_weight = 0.5;
  std::string teacher_tta = "d4";        // none, flips
  std::string augmentation = "default";  // none, light, default, strong
  double no_lesion = 0.25;  // share of the frames that show no lesion; needs an augmentation
  std::uint64_t seed = 1;
  std::string device = "auto";
  std::string precision = "auto";      // auto, fp32, bf16
  unsigned threads = 0;                // 0: all cores
  std::string memory_format = "auto";  // of images on the device: auto, contiguous, channels-last
  bool deterministic = false;          // on a GPU; on a CPU it always is
};

// The recipe's values: "default", or "seed" (the training that this project began from).
// Throws Error(settings).
Config recipe(const std::string& name);

nlohmann::ordered_json to_json(const Config& config);
// Its text on one line, valid UTF-8 whatever bytes the paths hold.
std::string to_json_text(const Config& config);
// Every field must be there, but for those that there were not in runs of the past. Throws
// Error(read).
Config config_from_json(const nlohmann::ordered_json& json);

// Keys whose values differ where a resumed run's may not. Length of the run, learning rate, device,
// threads and where files of weights lie may change.
std::vector<std::string> differing_keys(const Config& saved, const Config& asked);

}  // namespace unetseg::trainer
