// SPDX-License-Identifier: MIT
// How the benchmarks take their times, and what they say about where they ran.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace benchmarks {

// In ms. Nine in ten rounds lie between `p5` and `p95`.
struct Times {
  double median, least, p5, p95;
};

inline Times summarize(std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  const std::size_t n = ms.size(), tail = n / 20;
  return {ms[n / 2], ms[0], ms[tail], ms[n - 1 - tail]};
}

// Calls run(round) for round 0, which is not timed (tables, page faults, threads), then 1..rounds.
// Several things take turns in each round, so that what else the machine does meets them alike.
template <typename... Runs>
std::array<Times, sizeof...(Runs)> measure_in_turn(int rounds, Runs... runs) {
  std::array<std::vector<double>, sizeof...(Runs)> ms;
  const auto timed = [](auto& run, int round) {
    const auto start = std::chrono::steady_clock::now();
    run(round);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    return taken.count();
  };
  for (int round = 0; round <= rounds; ++round) {
    const double taken[] = {timed(runs, round)...};
    for (std::size_t i = 0; i < ms.size() && round > 0; ++i) ms[i].push_back(taken[i]);
  }
  std::array<Times, sizeof...(Runs)> times;
  for (std::size_t i = 0; i < ms.size(); ++i) times[i] = summarize(ms[i]);
  return times;
}

// Of rounds 1 and up, after round 0, which is not timed.
template <typename Run>
std::vector<double> milliseconds(int rounds, Run run) {
  std::vector<double> ms;
  for (int round = 0; round <= rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    run(round);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    if (round > 0) ms.push_back(taken.count());
  }
  return ms;
}

template <typename Run>
Times measure(int rounds, Run run) {
  return measure_in_turn(rounds, run)[0];
}

// One line: processor, cores, how busy they are with other things, LibTorch's version, the commit.
std::string machine();

}  // namespace benchmarks
