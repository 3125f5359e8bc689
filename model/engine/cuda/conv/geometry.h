// SPDX-License-Identifier: MIT
// How a convolution is cut into blocks of threads, and what a block keeps where.
#pragma once

#include "model/engine/cuda/numbers.h"

namespace unetseg::cuda {

constexpr int kMatrixRows = 16;  // pixels of a matrix tile: two rows of eight
constexpr int kMatrixDepth = 16;
constexpr int kMatrixColumns = 8;
constexpr int kTileWidth = 8;
constexpr int kConvThreads = 256;
constexpr int kConvWarps = kConvThreads / 32;
constexpr int kMostColumns = 64;  // channels of a block; packed weights are filled up to these
constexpr int kVector = 8;        // channels that are read and written at once

enum class ConvKind {
  same,       // 3x3
  strided,    // 3x3, every second pixel
  enlarged,   // 3x3 over an input twice as high and wide, nearest neighbour: for each pixel of the
              // input four phases of 2x2 taps
  pointwise,  // 1x1
};

constexpr int pieces_of(int size, int piece) {
  return (size + piece - 1) / piece;
}

constexpr int multiple_of(int size, int piece) {
  return pieces_of(size, piece) * piece;
}

// Divides by a number that is known to the host; the product of both is below 2^20.
struct Divider {
  UNETSEG_ON_BOTH int operator()(int dividend) const {
    return static_cast<int>(static_cast<unsigned>(dividend) * factor >> kBits);
  }
  static Divider of(int divisor) { return {static_cast<unsigned>(pieces_of(1 << kBits, divisor))}; }
  static constexpr int kBits = 20, kMostDividend = (1 << 11) - 1;
  unsigned factor;
};

// What a block of threads computes: pixels x channels, in so many parts of the sum over inputs.
struct ConvShape {
  int m_tiles;   // of kMatrixRows pixels, one above the other
  int n_tiles;   // of kMatrixColumns channels
  int k_splits;  // warps that share a tile, each with some of its products

  int tile_height() const { return m_tiles * kMatrixRows / kTileWidth; }
  int pixels() const { return m_tiles * kMatrixRows; }
  int channels() const { return n_tiles * kMatrixColumns; }
};

// The taps of a kind of convolution.
constexpr int kernel_of(ConvKind kind) {
  return kind == ConvKind::enlarged ? 2 : kind == ConvKind::pointwise ? 1 : 3;
}
constexpr int phases_of(ConvKind kind) {
  return kind == ConvKind::enlarged ? 4 : 1;
}

// Weights are packed in blocks of kMatrixDepth x kPackedColumns: two matrices, of which each thread
// of a warp reads its numbers at once. Where a block holds a weight:
constexpr int kPackedColumns = 2 * kMatrixColumns;
constexpr int kPackedBlock = kMatrixDepth * kPackedColumns;
UNETSEG_ON_BOTH int packed_place(int k, int column) {
  const int thread = column % kMatrixColumns * 4 + k % 8 / 2;
  return (thread * 2 + column / kMatrixColumns) * 4 + k / 8 * 2 + k % 2;
}

struct ConvLimits {
  int processors;     // that run blocks side by side
  int shared_memory;  // bytes that a block may have
};

}  // namespace unetseg::cuda
