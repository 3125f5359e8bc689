// SPDX-License-Identifier: MIT
// `fast` and `best`, the weights that come with unetseg, as the trainer's options take them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace unetseg::trainer {

// The file of `fast` or `best`, looked for in UNETSEG_WEIGHTS_DIR alone where that is set, else
// where they were installed; any other name is a path already. Throws Error(not_found), and
// Error(settings) for a relative UNETSEG_WEIGHTS_DIR.
std::string weights_file(const std::string& name);

// Lets an option for weights take these names too.
CLI::Option* take_shipped_weights(CLI::Option* option);

}  // namespace unetseg::trainer
