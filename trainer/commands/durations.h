// SPDX-License-Identifier: MIT
// Times as people write them on a command line.
#pragma once

#include <string>

namespace unetseg::trainer {

// "90m", "1.5h", "45s", or a plain number of minutes, in seconds. Throws Error(settings).
double parse_duration(const std::string& text);

// "1 h 23 min", "4 min 05 s", "12 s".
std::string duration_text(double seconds);

}  // namespace unetseg::trainer
