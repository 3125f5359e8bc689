// SPDX-License-Identifier: MIT
#include "trainer/commands/say.h"

#include <algorithm>
#include <vector>

namespace unetseg::trainer {
namespace {

std::vector<std::FILE*>& logs() {
  static std::vector<std::FILE*> open;
  return open;
}

}  // namespace

void say(const std::string& line) {
  std::fprintf(stderr, "%s\n", line.c_str());
  log_line(line);
}

void log_line(const std::string& line) {
  for (std::FILE* file : logs()) {
    std::fprintf(file, "%s\n", line.c_str());
    std::fflush(file);  // a run that is killed has its last words
  }
}

RunLog::RunLog(const std::string& path, bool go_on)
    : file_(std::fopen(path.c_str(), go_on ? "ae" : "we")) {
  if (file_ != nullptr) logs().push_back(file_);
}

RunLog::~RunLog() {
  if (file_ == nullptr) return;
  logs().erase(std::remove(logs().begin(), logs().end(), file_), logs().end());
  std::fclose(file_);
}

}  // namespace unetseg::trainer
