// SPDX-License-Identifier: MIT
// A decoded set that needs no files: dark discs on a bright, slightly uneven ground.
#pragma once

#include <cmath>
#include <string>

#include "trainer/data/decoded_set.h"

inline unetseg::trainer::DecodedSet discs(int count, int size, unsigned seed) {
  using namespace unetseg::trainer;
  DecodedSet set;
  set.width = set.height = size;
  for (int i = 0; i < count; ++i) {
    const double cx = size * (0.35 + 0.3 * ((i * 37 + seed) % 10) / 10.0);
    const double cy = size * (0.35 + 0.3 * ((i * 53 + seed) % 7) / 7.0);
    const double radius = size * (0.12 + 0.02 * (i % 5));
    TruthMask truth{size, size, {}};
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const bool inside = std::hypot(x + 0.5 - cx, y + 0.5 - cy) < radius;
        const int shade = (x * 7 + y * 11 + i) % 23;
        for (const int level : {inside ? 90 : 210, inside ? 60 : 170, inside ? 50 : 150})
          set.images.push_back(static_cast<std::uint8_t>(level + shade));
        truth.pixels.push_back(inside ? 255 : 0);
      }
    set.masks.insert(set.masks.end(), truth.pixels.begin(), truth.pixels.end());
    set.truth.push_back(truth);
    set.aspect.push_back(1);
    set.ids.push_back("disc-" + std::to_string(seed) + "-" + std::to_string(i));
    set.sha256.push_back("image:mask");
  }
  return set;
}
