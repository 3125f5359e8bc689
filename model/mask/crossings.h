// SPDX-License-Identifier: MIT
// Where a probability map passes a level: the few cells that interpolation has to look at.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace unetseg {

// differs[i] is not 0 where the values i and i + 1 of both rows do not agree about `level`.
inline void mark_crossings(const float* __restrict above, const float* __restrict below,
                           float level, int cells, std::uint8_t* __restrict differs) {
  for (int i = 0; i < cells; ++i) {
    const int reaching = (above[i] >= level) + (above[i + 1] >= level) + (below[i] >= level) +
                         (below[i + 1] >= level);
    differs[i] = static_cast<std::uint8_t>(reaching & 3);  // neither none nor all of the four
  }
}

// Calls use(column), in ascending order, for each column whose cell the level line passes: of the
// four values at it and to its right, in two rows of a map, some reach `level` and some do not.
// Rows have `columns` values; the last has no cell.
template <typename Use>
void for_each_crossing(const float* above, const float* below, int columns, float level, Use use) {
  constexpr int kBlock = 64;
  std::uint8_t differs[kBlock];
  for (int first = 0; first < columns - 1; first += kBlock) {
    const int n = std::min(columns - 1 - first, kBlock);
    mark_crossings(above + first, below + first, level, n, differs);
    std::fill(differs + n, differs + kBlock, std::uint8_t{0});
    for (int i = 0; i < n; i += 8) {
      std::uint64_t eight;
      std::memcpy(&eight, differs + i, sizeof eight);
      if (eight == 0) continue;
      for (int k = i; k < i + 8; ++k)
        if (differs[k] != 0) use(first + k);
    }
  }
}

}  // namespace unetseg
