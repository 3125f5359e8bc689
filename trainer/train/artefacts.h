// SPDX-License-Identifier: MIT
// What lies between a camera and the skin: hairs, rulers, pen marks, gel bubbles, stickers, drapes;
// and what colours the skin itself.
#pragma once

#include <cstdint>
#include <vector>

namespace unetseg::trainer {

// `count` transparent layers, each a function of (seed, its index): count x 4 x height x width,
// 0..255; red, green and blue are multiplied by the fourth plane, the opacity.
std::vector<std::uint8_t> draw_artefacts(int count, int width, int height, std::uint64_t seed);

}  // namespace unetseg::trainer
