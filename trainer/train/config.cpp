// SPDX-License-Identifier: MIT
#include "trainer/train/config.h"

#include <set>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

// One list of fields serves writing, reading and comparing.
template <typename C, typename F>
void for_each_field(C& c, F&& field) {
  field("recipe", c.recipe);
  field("architecture", c.architecture);
  field("base-width", c.base_width);
  field("input-width", c.input_width);
  field("input-height", c.input_height);
  field("supersampling", c.supersampling);
  field("batch-size", c.batch_size);
  field("epochs", c.epochs);
  field("time-budget", c.time_budget);
  field("steps", c.steps);
  field("loss", c.loss);
  field("optimizer", c.optimizer);
  field("learning-rate", c.learning_rate);
  field("weight-decay", c.weight_decay);
  field("schedule", c.schedule);
  field("warm-up", c.warm_up);
  field("clip", c.clip);
  field("ema", c.ema);
  field("dropout", c.dropout);
  field("deep-supervision", c.deep_supervision);
  field("init", c.init);
  field("init-sha256", c.init_sha256);
  field("teacher", c.teacher);
  field("teacher-sha256", c.teacher_sha256);
  field("teacher-weight", c.teacher_weight);
  field("teacher-tta", c.teacher_tta);
  field("augmentation", c.augmentation);
  field("no-lesion", c.no_lesion);
  field("seed", c.seed);
  field("device", c.device);
  field("precision", c.precision);
  field("threads", c.threads);
  field("memory-format", c.memory_format);
  field("deterministic", c.deterministic);
}

}  // namespace

Config recipe(const std::string& name) {
  Config config;
  config.recipe = name;
  if (name == "default") return config;
  if (name != "seed")
    throw Error(Fault::settings, "recipe '" + name + "' is not known: use default or seed");
  config.architecture = "seed-unet";
  config.supersampling = 1;
  config.batch_size = 4;
  config.epochs = 70;
  config.loss = "seed-dice";
  config.optimizer = "adam";
  config.learning_rate = 1e-4;
  config.weight_decay = 0;
  config.schedule = "plateau";
  config.warm_up = 0;
  config.clip = 0;
  config.ema = 0;
  config.deep_supervision = false;
  config.augmentation = "none";
  config.no_lesion = 0;
  return config;
}

nlohmann::ordered_json to_json(const Config& config) {
  nlohmann::ordered_json json;
  for_each_field(config, [&](const char* key, const auto& value) { json[key] = value; });
  return json;
}

std::string to_json_text(const Config& config) {
  return to_json(config).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Config config_from_json(const nlohmann::ordered_json& json) {
  // Without them there was no teacher, which is their default, and nothing is known of a beginning.
  const std::set<std::string> later = {"init",           "init-sha256",    "teacher",
                                       "teacher-sha256", "teacher-weight", "teacher-tta"};
  Config config;
  try {
    for_each_field(config, [&](const char* key, auto& value) {
      if (json.contains(key) || later.count(key) == 0) json.at(key).get_to(value);
    });
  } catch (const nlohmann::json::exception& error) {
    throw Error(Fault::read, "the saved configuration is damaged or of another version",
                error.what());
  }
  return config;
}

std::vector<std::string> differing_keys(const Config& saved, const Config& asked) {
  const std::set<std::string> free = {"epochs",        "time-budget", "steps",
                                      "learning-rate", "device",      "threads",
                                      "memory-format", "init",        "teacher"};
  const auto a = to_json(saved), b = to_json(asked);
  std::vector<std::string> keys;
  for (const auto& item : a.items())
    if (!free.count(item.key()) && item.value() != b.at(item.key())) keys.push_back(item.key());
  return keys;
}

}  // namespace unetseg::trainer
