// SPDX-License-Identifier: MIT
// Lines for the person at the terminal, which a run keeps in its log too.
#pragma once

#include <cstdio>
#include <string>

namespace unetseg::trainer {

// Prints `line` on stderr and into every open log. One thread at a time.
void say(const std::string& line);

// Into the open logs alone: for what a progress line has printed already.
void log_line(const std::string& line);

// While it lives, `path` receives every line. Where the file cannot be written there is no log:
// what else the run writes there says so.
class RunLog {
 public:
  // `go_on`: behind what is in the file.
  RunLog(const std::string& path, bool go_on);
  ~RunLog();
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

 private:
  std::FILE* file_;
};

}  // namespace unetseg::trainer
