// SPDX-License-Identifier: MIT
#include "trainer/commands/options_file.h"

#include <CLI/CLI.hpp>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

std::vector<CLI::ConfigItem> read_items(const std::string& path) try {
  return CLI::ConfigTOML().from_file(path);
} catch (const CLI::FileError&) {
  throw Error(Fault::not_found, path + " cannot be read: --config takes a TOML or INI file");
} catch (const CLI::ParseError& error) {
  throw Error(Fault::settings, path + " is no TOML or INI file", error.what());
}

}  // namespace

// CLI11 reads files for a whole program, never for one verb of it.
void apply_options_file(CLI::App& verb, const std::string& path) {
  for (const CLI::ConfigItem& item : read_items(path)) {
    CLI::Option* option = verb.get_option_no_throw("--" + item.name);
    if (!item.parents.empty() || option == nullptr || item.name == "config")
      throw Error(Fault::settings, path + ": '" + item.fullname() + "' is no option of " +
                                       verb.get_name() + " (see --help)");
    if (option->count() > 0) continue;
    try {
      option->add_result(item.inputs);
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw Error(Fault::settings, path + ": " + error.what());
    }
  }
}

}  // namespace unetseg::trainer
