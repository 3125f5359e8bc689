// SPDX-License-Identifier: MIT
#include "trainer/commands/command_line.h"

#include <glib.h>

namespace unetseg::trainer {
namespace {

std::string& kept_command_line() {
  static std::string line;
  return line;
}

}  // namespace

void keep_command_line(int argc, char** argv) {
  std::string& line = kept_command_line();
  line = "unetseg-trainer";
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const bool plain = !word.empty() && word.find_first_not_of(
                                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                            "0123456789-_./:=+,@%") == std::string::npos;
    char* quoted = g_shell_quote(argv[i]);
    line += " " + (plain ? word : std::string(quoted));
    g_free(quoted);
  }
}

const std::string& command_line() {
  return kept_command_line();
}

}  // namespace unetseg::trainer
