// SPDX-License-Identifier: MIT
#include "trainer/train/progress_state.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity and no NaN: both travel as null, and `absent` says which is meant.
void put(Json& json, const char* key, double value) {
  json[key] = std::isfinite(value) ? Json(value) : Json();
}
double get(const Json& json, const char* key, double absent) {
  const Json& value = json.at(key);
  return value.is_null() ? absent : value.get<double>();
}

const double kNan = std::nan("");
const double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

bool is_scored(const EpochRecord& record) {
  return !std::isnan(record.validation_dice);
}

const EpochRecord* last_scored(const std::vector<EpochRecord>& history) {
  for (auto record = history.rbegin(); record != history.rend(); ++record)
    if (is_scored(*record)) return &*record;
  return nullptr;
}

std::string to_json_text(const ProgressState& state) {
  Json json;
  json["step"] = state.step;
  json["epoch"] = state.epoch;
  json["next-sample"] = state.next_sample;
  json["total-steps"] = state.total_steps;
  put(json, "epoch-loss-sum", state.epoch_loss_sum);
  put(json, "epoch-norm-sum", state.epoch_norm_sum);
  json["epoch-taken-samples"] = state.epoch_taken_samples;
  json["epoch-taken-steps"] = state.epoch_taken_steps;
  json["epoch-steps"] = state.epoch_steps;
  json["skipped-in-a-row"] = state.skipped_in_a_row;
  put(json, "plateau-best", state.plateau.best);
  json["plateau-bad-epochs"] = state.plateau.bad_epochs;
  put(json, "plateau-factor", state.plateau.factor);
  put(json, "smoothed-jaccard", state.smoothed_jaccard);
  put(json, "best-smoothed", state.best_smoothed);
  json["best-epoch"] = state.best_epoch;
  put(json, "seconds", state.seconds);
  json["history"] = Json::array();
  for (const EpochRecord& record : state.history) {
    Json row;
    row["epoch"] = record.epoch;
    row["step"] = record.step;
    put(row, "learning-rate", record.learning_rate);
    put(row, "train-loss", record.train_loss);
    put(row, "gradient-norm", record.gradient_norm);
    put(row, "validation-loss", record.validation_loss);
    put(row, "validation-dice", record.validation_dice);
    put(row, "validation-jaccard", record.validation_jaccard);
    put(row, "validation-spread", record.validation_spread);
    put(row, "seconds", record.seconds);
    put(row, "images-per-second", record.images_per_second);
    json["history"].push_back(row);
  }
  json["commands"] = state.commands;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

ProgressState progress_from_json(const std::string& text) {
  ProgressState state;
  try {
    const Json json = Json::parse(text);
    json.at("step").get_to(state.step);
    json.at("epoch").get_to(state.epoch);
    json.at("next-sample").get_to(state.next_sample);
    json.at("total-steps").get_to(state.total_steps);
    state.epoch_loss_sum = get(json, "epoch-loss-sum", kNan);
    state.epoch_norm_sum = get(json, "epoch-norm-sum", kNan);
    json.at("epoch-steps").get_to(state.epoch_steps);
    // Checkpoints of the past counted every step as taken.
    state.epoch_taken_samples = json.value("epoch-taken-samples", state.next_sample);
    state.epoch_taken_steps = json.value("epoch-taken-steps", state.epoch_steps);
    json.at("skipped-in-a-row").get_to(state.skipped_in_a_row);
    state.plateau.best = get(json, "plateau-best", kInfinity);
    json.at("plateau-bad-epochs").get_to(state.plateau.bad_epochs);
    state.plateau.factor = get(json, "plateau-factor", kNan);
    state.smoothed_jaccard = get(json, "smoothed-jaccard", kNan);
    state.best_smoothed = get(json, "best-smoothed", kNan);
    json.at("best-epoch").get_to(state.best_epoch);
    state.seconds = get(json, "seconds", kNan);
    for (const Json& row : json.at("history")) {
      EpochRecord record;
      row.at("epoch").get_to(record.epoch);
      row.at("step").get_to(record.step);
      record.learning_rate = get(row, "learning-rate", kNan);
      record.train_loss = get(row, "train-loss", kNan);
      record.gradient_norm = get(row, "gradient-norm", kNan);
      record.validation_loss = get(row, "validation-loss", kNan);
      record.validation_dice = get(row, "validation-dice", kNan);
      record.validation_jaccard = get(row, "validation-jaccard", kNan);
      record.validation_spread = get(row, "validation-spread", kNan);
      record.seconds = get(row, "seconds", kNan);
      record.images_per_second = get(row, "images-per-second", kNan);
      state.history.push_back(record);
    }
    // Runs of the past did not keep them.
    if (json.contains("commands")) json["commands"].get_to(state.commands);
  } catch (const nlohmann::json::exception& error) {
    throw Error(Fault::read, "the checkpoint's state is damaged or of another version",
                error.what());
  }
  return state;
}

std::string metrics_csv(const std::vector<EpochRecord>& history) {
  std::string csv =
      "epoch,step,learning_rate,train_loss,gradient_norm,validation_loss,validation_dice,"
      "validation_jaccard,validation_spread,seconds,images_per_second\n";
  const auto cell = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.9g}", value) : std::string();
  };
  for (const EpochRecord& r : history)
    csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{}\n", r.epoch, r.step, cell(r.learning_rate),
                       cell(r.train_loss), cell(r.gradient_norm), cell(r.validation_loss),
                       cell(r.validation_dice), cell(r.validation_jaccard),
                       cell(r.validation_spread), cell(r.seconds), cell(r.images_per_second));
  return csv;
}

}  // namespace unetseg::trainer
