// SPDX-License-Identifier: MIT
#include "trainer/commands/option_layers.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "model/error.h"
#include "trainer/commands/run_config.h"
#include "trainer/commands/typo.h"

namespace unetseg::trainer {
namespace {

const char kPrefix[] = "UNETSEG_TRAINER_";

struct Value {
  std::string name;  // without dashes
  std::vector<std::string> inputs;
  std::string place;  // as messages name it
};

CLI::Option* option_of(CLI::App& verb, const Value& value) {
  CLI::Option* option = verb.get_option_no_throw("--" + value.name);
  if (option == nullptr || value.name == "config" || value.name == "help") {
    std::vector<std::string> names = option_names(verb);
    for (std::string& name : names) name.erase(0, 2);
    throw Error(Fault::settings, value.place + " is no option of " + verb.get_name() +
                                     " (see --help)" + typo_hint(value.name, names));
  }
  return option;
}

// Whether an option that this one excludes is among those that win over it.
bool is_overruled(const CLI::Option& option, const std::set<CLI::Option*>& winners,
                  const std::string& place) {
  for (CLI::Option* other : option.get_excludes()) {
    if (winners.count(other) > 0) return true;
    if (other->count() > 0) throw Error(Fault::settings, place + " excludes " + other->get_name());
  }
  return false;
}

void apply_layer(CLI::App& verb, const std::vector<Value>& values) {
  std::set<CLI::Option*> winners;
  for (CLI::Option* option : verb.get_options())
    if (option->count() > 0) winners.insert(option);
  for (const Value& value : values) {
    CLI::Option* option = option_of(verb, value);
    if (winners.count(option) > 0 || is_overruled(*option, winners, value.place)) continue;
    std::vector<std::string> inputs = value.inputs;
    try {
      if (option->get_expected_max() == 0)  // a flag, perhaps by the name that turns it off
        for (std::string& input : inputs) input = option->get_flag_value(value.name, input);
      option->add_result(inputs);
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw Error(Fault::settings, value.place + ": " + error.what());
    }
  }
}

std::vector<Value> values_of_toml(const std::string& path) try {
  std::vector<Value> values;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(path))
    values.push_back({item.fullname(), item.inputs, path + ": '" + item.fullname() + "'"});
  return values;
} catch (const CLI::FileError&) {
  throw Error(Fault::not_found, path + " cannot be read: --config takes a TOML or INI file");
} catch (const CLI::ParseError& error) {
  throw Error(Fault::settings, path + " is no TOML or INI file", error.what());
}

std::vector<std::string> inputs_of(const nlohmann::ordered_json& value) {
  if (value.is_array()) return value.get<std::vector<std::string>>();
  return {value.is_string() ? value.get<std::string>() : value.dump()};
}

// A run's config.json in terms of options. Of what says how long the run is, only what counted.
std::vector<Value> values_of_json(const std::string& path, const std::string& text) try {
  auto json = nlohmann::ordered_json::parse(text);
  const auto is_set = [&](const char* key) { return json.contains(key) && json[key] != 0; };
  if (is_set("steps")) json.erase("time-budget");
  if (is_set("steps") || is_set("time-budget")) json.erase("epochs");
  for (const char* key : {"steps", "time-budget"})
    if (!is_set(key)) json.erase(key);
  if (json.contains("time-budget")) json["time-budget"] = json["time-budget"].dump() + "s";
  if (json.contains("input-width") && json.contains("input-height")) {
    json["size"] = json["input-width"].dump() + "x" + json["input-height"].dump();
    json.erase("input-width");
    json.erase("input-height");
  }
  for (const char* key : {"init-sha256", "teacher-sha256"})  // of the files as they are now
    json.erase(key);
  std::vector<Value> values;
  for (const auto& item : json.items()) {
    const std::vector<std::string> inputs = inputs_of(item.value());
    if (!inputs.empty() && item.value() != "")
      values.push_back({item.key() == "base-width" ? "width" : item.key(), inputs,
                        path + ": '" + item.key() + "'"});
  }
  return values;
} catch (const nlohmann::json::exception& error) {
  throw Error(Fault::settings, path + " is no configuration of a run", error.what());
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

std::vector<std::string> option_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::Option* option : verb.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

void apply_environment(CLI::App& verb) {
  std::vector<Value> values;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (text.rfind(kPrefix, 0) != 0 || equals == std::string::npos) continue;
    const std::string variable = text.substr(0, equals);
    std::string name = variable.substr(sizeof kPrefix - 1);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
      return c == '_' ? '-' : static_cast<char>(std::tolower(c));
    });
    values.push_back({name, {text.substr(equals + 1)}, "the variable " + variable});
  }
  apply_layer(verb, values);
}

// CLI11 reads files for a whole program, never for one verb of it.
void apply_options_file(CLI::App& verb, const std::string& path) {
  const std::string text = text_of_file(path);
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const bool is_json = begin != std::string::npos && text[begin] == '{';
  std::vector<Value> values = is_json ? values_of_json(path, text) : values_of_toml(path);
  // A run's options of its data are for no other data.
  if (is_json && verb.get_option("--data")->count() > 0)
    values.erase(std::remove_if(values.begin(), values.end(),
                                [](const Value& value) { return says_which_data(value.name); }),
                 values.end());
  apply_layer(verb, values);
}

void apply_options_of_data(CLI::App& verb, const std::string& path) {
  std::vector<Value> of_data;
  for (const Value& value : values_of_json(path, text_of_file(path)))
    if (says_which_data(value.name)) of_data.push_back(value);
  apply_layer(verb, of_data);
}

}  // namespace unetseg::trainer
