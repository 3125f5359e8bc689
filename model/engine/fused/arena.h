// SPDX-License-Identifier: MIT
// One block of memory for buffers that do not live at the same time.
#pragma once

#include <cstddef>
#include <vector>

namespace unetseg::fused {

// Needed from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t size;
  int first, last;
};

struct Arena {
  std::vector<std::size_t> offsets;  // of each buffer, multiples of 16
  std::size_t size;                  // of the block
};

// Largest first, each at the lowest place where no buffer of an overlapping lifetime is.
Arena plan_arena(const std::vector<Lifetime>& buffers);

}  // namespace unetseg::fused
