// SPDX-License-Identifier: MIT
#include "model/engine/fused/packing.h"

#include <array>

#include "model/engine/fused/kernels.h"

namespace unetseg::fused {
namespace {

// For each output and input channel, `count` numbers made of its taps; one matrix for each.
using Transform = std::function<void(int o, int i, double* numbers)>;

AlignedFloats pack_transformed(const ConvWeights& weights, int columns, int lanes, int count,
                               int rows_of_matrix, int rows_per_number,
                               const Transform& transform) {
  // numbers[n][row][column], dense, before it is put into blocks.
  const std::size_t matrix = static_cast<std::size_t>(rows_of_matrix) * columns;
  const int matrices = count / rows_per_number;
  std::vector<float> dense(matrix * static_cast<std::size_t>(matrices));
  std::vector<double> numbers(static_cast<std::size_t>(count));
  for (int o = 0; o < weights.out; ++o)
    for (int i = 0; i < weights.in; ++i) {
      transform(o, i, numbers.data());
      for (int n = 0; n < count; ++n) {
        const int row = n % rows_per_number * weights.in_channels +
                        weights.in_channel[static_cast<std::size_t>(i)];
        dense[static_cast<std::size_t>(n / rows_per_number) * matrix +
              static_cast<std::size_t>(row) * columns + o] =
            static_cast<float>(numbers[static_cast<std::size_t>(n)]);
      }
    }
  AlignedFloats packed(dense.size());
  for (int m = 0; m < matrices; ++m) {
    const float* from = dense.data() + static_cast<std::size_t>(m) * matrix;
    pack(
        rows_of_matrix, columns, lanes,
        [&](int row, int column) { return from[static_cast<std::size_t>(row) * columns + column]; },
        packed.data() + static_cast<std::size_t>(m) * matrix);
  }
  return packed;
}

// Products along one axis as sums of three taps.
using Taps = std::array<double, 3>;
const std::array<std::array<Taps, 6>, kTilings> kTransforms = {
    {{{{1, 0, 0}, {.5, .5, .5}, {.5, -.5, .5}, {0, 0, 1}, {}, {}}},
     {{{1. / 4, 0, 0},
       {-1. / 6, -1. / 6, -1. / 6},
       {-1. / 6, 1. / 6, -1. / 6},
       {1. / 24, 1. / 12, 1. / 6},
       {1. / 24, -1. / 12, 1. / 6},
       {0, 0, 1}}},
     {{{1, 0, 0}, {1, 1, 1}, {0, 1, 1}, {-1, -1, 0}, {1, 1, 1}, {0, 0, 1}}}}};

}  // namespace

void pack(int rows, int columns, int lanes, const std::function<float(int, int)>& value,
          float* to) {
  int column = 0;
  while (column < columns) {
    const int left = columns - column;
    const int width = left >= kBlockRegisters * lanes ? kBlockRegisters * lanes : lanes;
    for (int row = 0; row < rows; ++row)
      for (int c = 0; c < width; ++c) *to++ = value(row, column + c);
    column += width;
  }
}

AlignedFloats pack_direct(const ConvWeights& weights, int columns, int lanes) {
  const int taps = weights.kernel * weights.kernel;
  return pack_transformed(weights, columns, lanes, taps, taps * weights.in_channels, taps,
                          [&](int o, int i, double* numbers) {
                            for (int tap = 0; tap < taps; ++tap)
                              numbers[tap] =
                                  weights.at(o, i, tap / weights.kernel, tap % weights.kernel);
                          });
}

AlignedFloats pack_tiled(const ConvWeights& weights, Tiling tiling, int columns, int lanes) {
  const auto& transform = kTransforms[tiling];
  const int n = kTilingShapes[tiling].products;
  return pack_transformed(
      weights, columns, lanes, n * n, weights.in_channels, 1, [&](int o, int i, double* numbers) {
        for (int r = 0; r < n; ++r)
          for (int c = 0; c < n; ++c) {
            const Taps& rows = transform[static_cast<std::size_t>(r)];
            const Taps& across = transform[static_cast<std::size_t>(c)];
            double sum = 0;
            for (int y = 0; y < 3; ++y)
              for (int x = 0; x < 3; ++x)
                sum += rows[static_cast<std::size_t>(y)] * across[static_cast<std::size_t>(x)] *
                       static_cast<double>(weights.at(o, i, y, x));
            numbers[r * n + c] = sum;
          }
      });
}

}  // namespace unetseg::fused
