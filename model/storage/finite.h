// SPDX-License-Identifier: MIT
// Counts the values of a tensor that are not numbers to compute with.
#pragma once

#include <cstddef>

#include "model/storage/safetensors.h"

namespace unetseg {

struct NonFinite {
  std::size_t nans = 0, infinities = 0;
  std::size_t total() const { return nans + infinities; }
};

// Looks at `bytes` bytes of `dtype`; they need no alignment. Whole numbers are always finite.
NonFinite count_non_finite(DType dtype, const void* data, std::size_t bytes);

}  // namespace unetseg
