// SPDX-License-Identifier: MIT
// Sizes of pictures as people write them on a command line.
#pragma once

#include <string>

namespace unetseg::trainer {

// "256" (both sides) or "256x192" (width x height), pixels. Throws Error(settings) for anything
// else.
void parse_width_height(const std::string& text, int* width, int* height);

// The same for the network's input: multiples of 16 from 32 to 1024 alone.
void parse_size(const std::string& text, int* width, int* height);

}  // namespace unetseg::trainer
