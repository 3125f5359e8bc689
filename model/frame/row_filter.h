// SPDX-License-Identifier: MIT
// Resampling down the rows of a plane, whatever its values belong to.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/frame/axis.h"

namespace unetseg {

// out[i] = the weighted sum of `span` over value i of its rows, in codes, for each i below `n`.
// `first` is the span's first row; rows lie `stride` bytes apart. Fastest where the next call is
// for the span below.
using RowFilter = void (*)(const std::uint8_t* first, std::ptrdiff_t stride, const Span& span,
                           float* out, std::size_t n);

// For values of 8 bits, or of 10 in the high bits of two bytes, the low byte first.
RowFilter row_filter(int depth);

}  // namespace unetseg
