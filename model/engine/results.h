// SPDX-License-Identifier: MIT
// From an engine's own memory to its caller's.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

#include "model/error.h"

namespace unetseg {

// `values`: n x floats. Throws Error(bad_result) where one is not finite.
inline void hand_out(const float* values, std::size_t floats, float* const* probabilities, int n) {
  for (int i = 0; i < n; ++i, values += floats) {
    for (std::size_t j = 0; j < floats; ++j)
      if (!std::isfinite(values[j]))
        throw Error(
            Fault::bad_result,
            "the network gave a value that is not finite: the frame is left without a mask");
    std::memcpy(probabilities[i], values, floats * sizeof(float));
  }
}

}  // namespace unetseg
