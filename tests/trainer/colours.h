// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <set>

#include "trainer/data/image_files.h"

// Colours of a picture: a plot or panel that was drawn has many.
inline std::size_t colours_of(const unetseg::trainer::Image& picture) {
  std::set<int> colours;
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3)
    colours.insert(picture.pixels[i] << 16 | picture.pixels[i + 1] << 8 | picture.pixels[i + 2]);
  return colours.size();
}
