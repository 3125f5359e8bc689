// SPDX-License-Identifier: MIT
// Where an axis begins and ends, and where its ticks are.
#pragma once

#include <string>
#include <vector>

namespace unetseg::trainer {

// Ticks at low, low + step, ... high; steps are 1, 2, 2.5 or 5 times a power of ten.
struct Axis {
  double low = 0, high = 1, step = 0.2;
  int intervals() const;
  double tick(int i) const { return low + i * step; }
  // 0 at `low`, 1 at `high`.
  double position(double value) const { return (value - low) / (high - low); }
  // With as many decimals as the step needs; very large and very small values as 1e+09.
  std::string label(double value) const;
};

// The tightest axis that holds [low, high] with at most `intervals` intervals, and with none below
// `smallest_step`. low = high gets room on both sides.
Axis axis_for(double low, double high, int intervals, double smallest_step = 0);

// The same with exactly `intervals`, so that two axes can share one grid.
Axis axis_with(double low, double high, int intervals);

}  // namespace unetseg::trainer
