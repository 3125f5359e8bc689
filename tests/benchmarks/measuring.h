// SPDX-License-Identifier: MIT
// How the benchmarks take their times, and what they say about where they ran.
#pragma once

#include <algorithm>
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
template <typename Run>
Times measure(int rounds, Run run) {
  std::vector<double> ms;
  run(0);
  for (int round = 1; round <= rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    run(round);
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    ms.push_back(taken.count());
  }
  return summarize(ms);
}

// One line: processor, cores, how busy they are with other things, LibTorch's version, the commit.
std::string machine();

}  // namespace benchmarks
