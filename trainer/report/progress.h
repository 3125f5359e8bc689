// SPDX-License-Identifier: MIT
// How far a long job is, on stderr: one line that redraws itself on a terminal, a few plain lines
// in a log file.
#pragma once

#include <cstddef>
#include <cstdio>
#include <functional>
#include <string>

namespace unetseg::trainer {

// Units per second over about the last minute, and over the whole time while that is shorter.
class RateMeter {
 public:
  // `done` units at time `seconds`, neither falling. The first call is the start, whatever its
  // `done`: a resumed job does not count what was done before.
  void add(double seconds, double done);
  double rate() const;  // 0 while unknown

 private:
  bool started_ = false;
  double last_seconds_ = 0, last_done_ = 0;
  double recent_units_ = 0, recent_seconds_ = 0;  // older ones fade
};

// Not thread-safe. A line that was drawn is gone when the object is.
class ProgressLine {
 public:
  // What the rate counts, where it is not the units that are done: so many of `name` in each.
  struct Counted {
    int in_each = 1;
    std::string name;  // " images"
  };
  // Where the line goes and what time it is; tests bring their own.
  struct Output {
    std::FILE* stream = nullptr;      // borrowed; nullptr: stderr
    std::function<double()> seconds;  // rising; empty: the steady clock
    Counted counted;
  };

  // `quiet`: only `print` prints.
  explicit ProgressLine(std::string label, bool quiet = false);
  ProgressLine(std::string label, bool quiet, Output output);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // `done` of `total` (0: not known yet) and whatever else is worth a look ("loss 0.3121"). Cheap
  // enough for every step: the terminal sees at most ten a second, a file one line after ten
  // seconds and then ever fewer.
  void update(std::size_t done, std::size_t total, const std::string& text = {});

  // A line that stays, above the progress.
  void print(const std::string& line);

  // Clears the line; later updates draw it again.
  void finish();

 private:
  void draw(double now, std::size_t done, std::size_t total, const std::string& text);
  void clear();

  std::string label_;
  bool quiet_;
  std::FILE* stream_;
  std::function<double()> seconds_;
  Counted counted_;
  bool terminal_;
  bool drawn_ = false;
  double start_ = 0, next_draw_ = 0;
  RateMeter meter_;
};

}  // namespace unetseg::trainer
