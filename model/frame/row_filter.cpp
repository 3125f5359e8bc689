// SPDX-License-Identifier: MIT
#include "model/frame/row_filter.h"

#include <algorithm>
#include <cstring>

#include <glib.h>

#include "model/frame/clones.h"

namespace unetseg {
namespace {

// How values lie in a row, and how many of the largest a 16-bit sum holds.
struct Bytes {
  static constexpr std::size_t kSize = 1;
  static constexpr int kMost = 257;
  static UNETSEG_INLINE std::uint16_t at(const std::uint8_t* row, std::size_t i) { return row[i]; }
};

struct TenBits {
  static constexpr std::size_t kSize = 2;
  static constexpr int kMost = 64;
  static UNETSEG_INLINE std::uint16_t at(const std::uint8_t* row, std::size_t i) {
    std::uint16_t word;  // not aligned in memory
    std::memcpy(&word, row + 2 * i, sizeof word);
    return static_cast<std::uint16_t>(GUINT16_FROM_LE(word) >> 6);
  }
};

// All rows of a span are summed whole; what is too much of the first and the last is then taken
// away.
struct Rows {
  std::ptrdiff_t stride;
  int count;
  float head, tail;  // to be added of the first and the last
};

// Values whose sums stay in registers while their rows are read.
constexpr std::size_t kBlock = 64;
constexpr std::size_t kCacheLine = 64;

template <typename Values>
UNETSEG_INLINE void filter_block(const std::uint8_t* first, const Rows& rows,
                                 float* __restrict out) {
  std::uint16_t sum[kBlock];
  for (std::size_t k = 0; k < kBlock; ++k) sum[k] = Values::at(first, k);
  const std::uint8_t* row = first;
  for (int r = 1; r < rows.count; ++r) {
    row += rows.stride;
    for (std::size_t k = 0; k < kBlock; ++k)
      sum[k] = static_cast<std::uint16_t>(sum[k] + Values::at(row, k));
  }
  for (std::size_t k = 0; k < kBlock; ++k)
    out[k] = rows.head * static_cast<float>(Values::at(first, k)) + static_cast<float>(sum[k]) +
             rows.tail * static_cast<float>(Values::at(row, k));
}

// Frames come from a camera or a decoder and not from the cache, and reading them is what sampling
// waits for. Read side by side, rows come slowly; so, while one span is summed, the next is asked
// for row by row. Past the frame's end that has no effect.
class NextSpan {
 public:
  UNETSEG_INLINE NextSpan(const std::uint8_t* first, const Rows& rows, std::size_t row_bytes)
      : row_(first + rows.count * rows.stride), stride_(rows.stride), row_bytes_(row_bytes) {}
  UNETSEG_INLINE void ask_for(std::size_t bytes) {
    for (; bytes > 0; bytes -= kCacheLine) {
      __builtin_prefetch(row_ + asked_);
      asked_ += kCacheLine;
      if (asked_ < row_bytes_) continue;
      asked_ = 0;
      row_ += stride_;
    }
  }

 private:
  const std::uint8_t* row_;
  std::ptrdiff_t stride_;
  std::size_t row_bytes_, asked_ = 0;
};

template <typename Values>
UNETSEG_INLINE void filter_blocks(const std::uint8_t* first, const Rows& rows,
                                  float* __restrict out, std::size_t n) {
  constexpr std::size_t kBytes = kBlock * Values::kSize;  // whole cache lines
  NextSpan next(first, rows, n * Values::kSize);
  for (std::size_t i = 0; i < n; i += kBlock) {
    next.ask_for(kBytes * static_cast<std::size_t>(rows.count));
    const std::size_t at = std::min(i, n - kBlock);  // the last block may lie over the one before
    filter_block<Values>(first + at * Values::kSize, rows, out + at);
  }
}

// Any number of rows, and of values.
template <typename Values>
UNETSEG_INLINE void filter_row_by_row(const std::uint8_t* first, const Rows& rows,
                                      float* __restrict out, std::size_t n) {
  const std::uint8_t* last = first + (rows.count - 1) * rows.stride;
  for (std::size_t i = 0; i < n; ++i)
    out[i] = rows.head * static_cast<float>(Values::at(first, i)) +
             rows.tail * static_cast<float>(Values::at(last, i));
  const std::uint8_t* row = first;
  for (int r = 0; r < rows.count; ++r, row += rows.stride)
    for (std::size_t i = 0; i < n; ++i) out[i] += static_cast<float>(Values::at(row, i));
}

template <typename Values>
UNETSEG_INLINE void filter(const std::uint8_t* first, std::ptrdiff_t stride, const Span& span,
                           float* out, std::size_t n) {
  const Rows rows = {stride, span.count, span.head - 1, span.count > 1 ? span.tail - 1 : 0};
  if (n >= kBlock && rows.count <= Values::kMost)
    filter_blocks<Values>(first, rows, out, n);
  else
    filter_row_by_row<Values>(first, rows, out, n);
}

UNETSEG_CLONES void filter_bytes(const std::uint8_t* first, std::ptrdiff_t stride, const Span& span,
                                 float* out, std::size_t n) {
  filter<Bytes>(first, stride, span, out, n);
}

UNETSEG_CLONES void filter_10_bits(const std::uint8_t* first, std::ptrdiff_t stride,
                                   const Span& span, float* out, std::size_t n) {
  filter<TenBits>(first, stride, span, out, n);
}

}  // namespace

RowFilter row_filter(int depth) {
  return depth == 8 ? filter_bytes : filter_10_bits;
}

}  // namespace unetseg
