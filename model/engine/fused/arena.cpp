// SPDX-License-Identifier: MIT
#include "model/engine/fused/arena.h"

#include <algorithm>
#include <numeric>

#include "model/engine/fused/aligned.h"

namespace unetseg::fused {

Arena plan_arena(const std::vector<Lifetime>& buffers) {
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return buffers[a].size > buffers[b].size; });
  Arena arena{std::vector<std::size_t>(buffers.size()), 0};
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    const std::size_t size = whole_lines(buffers[i].size);
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          buffers[i].first <= buffers[other].last && buffers[other].first <= buffers[i].last;
      if (!together) continue;
      if (offset + size <= arena.offsets[other]) break;
      offset = std::max(offset, arena.offsets[other] + whole_lines(buffers[other].size));
    }
    arena.offsets[i] = offset;
    arena.size = std::max(arena.size, offset + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), i,
                                   [&](std::size_t a, std::size_t b) {
                                     return arena.offsets[a] < arena.offsets[b];
                                   }),
                  i);
  }
  return arena;
}

}  // namespace unetseg::fused
