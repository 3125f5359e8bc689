// SPDX-License-Identifier: MIT
// Cutting rows into blocks whose sizes the compiler knows.
#pragma once

#include <type_traits>

#include "model/frame/clones.h"

namespace unetseg::fused {
namespace {

// Calls f(std::integral_constant<int, n>()) for n = count, 1 .. Most.
template <int Most, typename F>
UNETSEG_INLINE void with_count(int count, F&& f) {
  if constexpr (Most > 1) {
    if (count < Most) return with_count<Most - 1>(count, f);
  }
  f(std::integral_constant<int, Most>());
}

// Splits `total` into blocks that differ by one at most: block(integral_constant, first).
template <int Most, typename F>
UNETSEG_INLINE void in_blocks(int total, F&& block) {
  const int blocks = (total + Most - 1) / Most;
  int done = 0;
  for (int b = 0; b < blocks; ++b) {
    const int count = (total - done) / (blocks - b);
    with_count<Most>(count, [&](auto n) { block(n, done); });
    done += count;
  }
}

}  // namespace
}  // namespace unetseg::fused
