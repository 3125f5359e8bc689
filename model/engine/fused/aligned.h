// SPDX-License-Identifier: MIT
// Blocks of numbers on a cache line's boundary.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>

#include "model/error.h"

namespace unetseg::fused {

// Zeroed. Throws Error(no_space). `size` may be 0.
template <typename Number>
class Aligned {
 public:
  Aligned() = default;
  explicit Aligned(std::size_t size) : size_(size) {
    if (size == 0) return;
    const std::size_t bytes = (size * sizeof(Number) + kLine - 1) / kLine * kLine;
    values_.reset(static_cast<Number*>(std::aligned_alloc(kLine, bytes)));
    if (!values_)
      throw Error(Fault::no_space, "not enough memory for the network: use a smaller model");
    std::memset(values_.get(), 0, bytes);
  }

  Number* data() { return values_.get(); }
  const Number* data() const { return values_.get(); }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kLine = 64;
  struct Free {
    void operator()(Number* values) const { std::free(values); }
  };
  std::unique_ptr<Number, Free> values_;
  std::size_t size_ = 0;
};

using AlignedFloats = Aligned<float>;

// `size` floats, rounded up to whole cache lines.
inline std::size_t whole_lines(std::size_t size) {
  return (size + 15) / 16 * 16;
}

}  // namespace unetseg::fused
