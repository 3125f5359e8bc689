// SPDX-License-Identifier: MIT
// A verb's options from elsewhere than the command line: the environment, and a file.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace unetseg::trainer {

// Both set the options of `verb` that what came before them left alone, so the environment is to be
// applied before the file, and both after parsing. An option that excludes one which is set already
// is left out as well. Both throw Error(settings) for a name or a value that is wrong.

// From variables named after the options: UNETSEG_TRAINER_BATCH_SIZE.
void apply_environment(CLI::App& verb);

// From a TOML or INI file whose keys are the options' names without dashes, or from a run's
// config.json. Throws Error(not_found) too.
void apply_options_file(CLI::App& verb, const std::string& path);

// From a run's config.json, what says where its data is and which part of it is used.
void apply_options_of_data(CLI::App& verb, const std::string& path);

// The options' names with their dashes.
std::vector<std::string> option_names(const CLI::App& verb);

}  // namespace unetseg::trainer
