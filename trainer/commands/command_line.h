// SPDX-License-Identifier: MIT
// What this process was started with, for the records that runs leave.
#pragma once

#include <string>

namespace unetseg::trainer {

// To be called by main().
void keep_command_line(int argc, char** argv);

// `text` as one word for a shell, quoted where it must be.
std::string shell_word(const std::string& text);

// Quoted for a shell, the program by its name alone.
const std::string& command_line();

}  // namespace unetseg::trainer
