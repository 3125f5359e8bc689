// SPDX-License-Identifier: MIT
// A small random generator that gives the same numbers with every compiler and standard library.
#pragma once

#include <cstdint>

namespace unetseg::trainer {

// SplitMix64 (Steele, Lea and Flood, 2014). Value type; one per thread.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // [0, 1), and [low, high).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  bool chance(double probability) { return uniform() < probability; }

  // 0 .. n - 1 for 0 < n <= 2^32, by Lemire's multiplication; the bias is below n / 2^32.
  std::uint32_t below(std::uint64_t n) {
    return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
  }

 private:
  std::uint64_t state_;
};

}  // namespace unetseg::trainer
