// SPDX-License-Identifier: MIT
#include "trainer/report/axis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {
namespace {

// A value this share of a step beyond a tick still counts as on it: 0.1 * 3 is not 0.3.
constexpr double kSlack = 1e-9;

double next_nice_step(double step) {
  const double decade = std::pow(10.0, std::floor(std::log10(step) + kSlack));
  for (const double nice : {1.0, 2.0, 2.5, 5.0})
    if (step < nice * decade * (1 - kSlack)) return nice * decade;
  return 10 * decade;
}

double first_nice_step(double at_least) {
  return next_nice_step(at_least * (1 - 10 * kSlack));
}

// A range that can be divided: a constant gets a tenth of itself on each side.
void widen(double* low, double* high) {
  const double least = 1e-6 * std::max(std::abs(*low), std::abs(*high));
  if (*high - *low > least) return;
  const double room = *low == 0 && *high == 0 ? 1 : 0.1 * std::max(std::abs(*low), std::abs(*high));
  *low -= room;
  *high += room;
}

Axis snapped(double low, double high, double step) {
  return {step * std::floor(low / step + kSlack), step * std::ceil(high / step - kSlack), step};
}

}  // namespace

int Axis::intervals() const {
  return static_cast<int>(std::lround((high - low) / step));
}

std::string Axis::label(double value) const {
  if (std::abs(value) < step * kSlack) value = 0;
  const double largest = std::max(std::abs(low), std::abs(high));
  if (largest >= 1e6 || largest < 1e-4) return fmt::format("{:.3g}", value);
  int decimals = 0;
  for (double scaled = step; decimals < 9 && std::abs(scaled - std::round(scaled)) > 1e-6;
       scaled *= 10)
    ++decimals;
  return fmt::format("{:.{}f}", value, decimals);
}

Axis axis_for(double low, double high, int intervals, double smallest_step) {
  widen(&low, &high);
  double step = first_nice_step(std::max((high - low) / intervals, smallest_step));
  Axis axis = snapped(low, high, step);
  while (axis.intervals() > intervals) axis = snapped(low, high, step = next_nice_step(step));
  return axis;
}

Axis axis_with(double low, double high, int intervals) {
  Axis axis = axis_for(low, high, intervals);
  // Spare intervals go below and above in turn, but never across zero.
  for (bool below = false; axis.intervals() < intervals; below = !below) {
    const bool crosses = axis.low >= 0 && axis.low - axis.step < -kSlack * axis.step;
    if (below && !crosses)
      axis.low -= axis.step;
    else
      axis.high += axis.step;
  }
  return axis;
}

}  // namespace unetseg::trainer
