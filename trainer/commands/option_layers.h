// SPDX-License-Identifier: MIT
// A verb's options from a file.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace unetseg::trainer {

// Sets the options of `verb` that the command line left alone from a TOML or INI file whose keys
// are the options' names without dashes. To be called after parsing; required options are those of
// the command line. Throws Error(settings) for a key or a value that is wrong, Error(not_found).
void apply_options_file(CLI::App& verb, const std::string& path);

}  // namespace unetseg::trainer
