// SPDX-License-Identifier: MIT
#include "trainer/commands/durations.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "model/error.h"

namespace unetseg::trainer {

double parse_duration(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const std::string unit = end;
  const double factor = unit == "h" ? 3600 : unit == "s" ? 1 : unit.empty() || unit == "m" ? 60 : 0;
  if (end == text.c_str() || factor == 0 || !std::isfinite(number) || number <= 0)
    throw Error(Fault::settings, "'" + text + "' is no time: write 90m, 1.5h or 45s");
  return number * factor;
}

std::string duration_text(double seconds) {
  const long total = std::lround(std::max(0.0, seconds));
  if (total >= 3600) return fmt::format("{} h {:02} min", total / 3600, total / 60 % 60);
  if (total >= 60) return fmt::format("{} min {:02} s", total / 60, total % 60);
  return fmt::format("{} s", total);
}

}  // namespace unetseg::trainer
