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
  for (int i = 1; i < argc; ++i) line += " " + shell_word(argv[i]);
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of(
                                          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_./:=+,@%") == std::string::npos;
  if (plain) return text;
  char* quoted = g_shell_quote(text.c_str());
  const std::string word = quoted;
  g_free(quoted);
  return word;
}

const std::string& command_line() {
  return kept_command_line();
}

}  // namespace unetseg::trainer
