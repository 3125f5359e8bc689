// SPDX-License-Identifier: MIT
// A painted data set and a trained run, made once by the program itself and shared by a suite's
// tests, which only read them.
#pragma once

#include <string>
#include <vector>

#include "tests/trainer/trainer_program.h"

constexpr int kSmallRunEpochs = 8;

struct SmallRun {
  TemporaryFolder root;
  std::string data = root.path() + "/data", folder = root.path() + "/run";
  std::string log;  // what training printed on stderr
};

// A plain pointer: the folder must outlive the processes in which tests run, whose end would run a
// destructor.
inline SmallRun*& small_run_slot() {
  static SmallRun* slot = nullptr;
  return slot;
}
inline SmallRun& small_run() {
  return *small_run_slot();
}

inline std::vector<std::string> synthesize_arguments(const std::string& output,
                                                     const std::string& count,
                                                     const std::string& seed) {
  return {"synthesize", "--output", output,   "--count", count,
          "--seed",     seed,       "--size", "64x48",   "--quiet"};
}

// One thread: the tests may run beside others, and the numbers do not depend on the machine.
inline std::vector<std::string> train_arguments(const std::string& data, const std::string& output,
                                                int epochs) {
  return {"train",
          "--data",
          data,
          "--output",
          output,
          "--epochs",
          std::to_string(epochs),
          "--size",
          "32",
          "--width",
          "4",
          "--batch-size",
          "4",
          "--threads",
          "1",
          "--device",
          "cpu",
          "--precision",
          "fp32"};
}

// Fixture for tcase_add_unchecked_fixture().
inline void make_small_run() {
  small_run_slot() = new SmallRun;
  SmallRun& made = small_run();
  assert_code(run_trainer(synthesize_arguments(made.data, "20", "7")), 0);
  const Outcome trained = run_trainer(train_arguments(made.data, made.folder, kSmallRunEpochs));
  assert_code(trained, 0);
  made.log = trained.err;
}
inline void remove_small_run() {
  delete small_run_slot();
  small_run_slot() = nullptr;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

// metrics.csv without its last two columns, which are times.
inline std::vector<std::string> stable_metrics(const std::string& run) {
  std::vector<std::string> lines = lines_of(text_of(run + "/metrics.csv"));
  for (std::string& line : lines)
    for (int i = 0; i < 2; ++i) line.resize(line.rfind(','));
  return lines;
}
