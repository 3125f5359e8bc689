// SPDX-License-Identifier: MIT
#include "trainer/commands/run_config.h"

#include <glib.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "model/storage/atomic_file.h"
#include "trainer/commands/mask_fit.h"

namespace unetseg::trainer {
namespace {

using Json = nlohmann::ordered_json;

// Null for none.
Json absolute(const std::string& path) {
  if (path.empty() || !g_utf8_validate(path.c_str(), -1, nullptr)) return nullptr;
  return std::filesystem::absolute(path).string();
}

// Of every option about the data, null where it is not needed.
Json data_options(const TrainOptions& options) {
  Json json;
  json["data"] = absolute(options.data);
  json["cache"] = absolute(options.cache_folder);
  json["groups"] = absolute(options.groups);
  json["val-fraction"] =
      options.validation_fraction > 0 ? Json(options.validation_fraction) : Json();
  json["skip-bad"] = options.skip_bad > 0 ? Json(options.skip_bad) : Json();
  json["mask-fit"] = options.mask_fit != kMaskFitAuto ? Json(options.mask_fit) : Json();
  return json;
}

}  // namespace

void write_config(const TrainOptions& options, const TrainingRun& run) {
  Config config = run.config();
  if (config.time_budget > 0) config.steps = run.progress().total_steps;
  Json json = Json::parse(to_json_text(config));
  const Json of_data = data_options(options);
  for (const auto& item : of_data.items())
    if (!item.value().is_null()) json[item.key()] = item.value();
  write_file_atomically(options.output + "/config.json", json.dump(2) + "\n");
}

bool says_which_data(const std::string& key) {
  static const Json keys = data_options({});
  return keys.contains(key);
}

}  // namespace unetseg::trainer
