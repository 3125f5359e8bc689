// SPDX-License-Identifier: MIT
// The size of the network's input as people write it on a command line.
#pragma once

#include <string>

namespace unetseg::trainer {

// "256" or "256x192" (width x height, pixels). Throws Error(settings) for anything but multiples of
// 16 from 32 to 1024.
void parse_size(const std::string& text, int* width, int* height);

}  // namespace unetseg::trainer
