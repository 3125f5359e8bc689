// SPDX-License-Identifier: MIT
// Random numbers as a function of what they are for, so that no generator state has to be saved.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>

namespace unetseg::trainer {

// What a stream of numbers is drawn for; part of its key.
enum class Purpose : std::uint64_t {
  initial_weights = 1,
  order,
  augmentation,
  noise,
  dropout,
  artefacts,
  widening
};

// SplitMix64 (Steele, Lea, Flood 2014) over a key hashed from (seed, purpose, counters). Two
// streams with different keys are independent for all purposes here. Value type, not thread-safe.
class Random {
 public:
  Random(std::uint64_t seed, Purpose purpose, std::initializer_list<std::uint64_t> counters)
      : state_(seed) {
    absorb(static_cast<std::uint64_t>(purpose));
    for (const std::uint64_t counter : counters) absorb(counter);
  }
  std::uint64_t next() { return mix(state_ += kGamma); }
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // [0, 1)
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  double log_uniform(double low, double high) {
    return std::exp(uniform(std::log(low), std::log(high)));
  }
  bool chance(double probability) { return uniform() < probability; }
  // 0 .. n - 1; the bias of the modulo is below 2^-40 for any n used here.
  std::uint64_t below(std::uint64_t n) { return next() % n; }

 private:
  static constexpr std::uint64_t kGamma = 0x9e3779b97f4a7c15u;
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  void absorb(std::uint64_t value) { state_ = mix(state_ + kGamma) ^ mix(value + 2 * kGamma); }
  std::uint64_t state_;
};

}  // namespace unetseg::trainer
