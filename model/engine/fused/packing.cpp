// SPDX-License-Identifier: MIT
#include "model/engine/fused/packing.h"

#include <array>

#include "model/engine/fused/kernels.h"

namespace unetseg::fused {
namespace {

// `matrices` matrices of `parts` x in_channels rows: `transform` makes of an output and an input
// channel one number for each matrix and part.
template <typename Transform>
AlignedFloats pack_transformed(const ConvWeights& weights, int columns, int lanes, int matrices,
                               int parts, Transform&& transform) {
  const int rows = parts * weights.in_channels;
  const std::size_t matrix = static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
  AlignedFloats packed(static_cast<std::size_t>(matrices) * matrix);
  std::vector<float> numbers(static_cast<std::size_t>(matrices * parts));
  for (int i = 0; i < weights.in; ++i)
    for (int o = 0; o < weights.out; ++o) {
      transform(o, i, numbers.data());
      const float* number = numbers.data();
      for (int m = 0; m < matrices; ++m)
        for (int part = 0; part < parts; ++part) {
          const int row =
              part * weights.in_channels + weights.in_channel[static_cast<std::size_t>(i)];
          packed.data()[static_cast<std::size_t>(m) * matrix +
                        packed_place(rows, columns, lanes, row, o)] = *number++;
        }
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

AlignedFloats pack_direct(const ConvWeights& weights, int columns, int lanes) {
  const int taps = weights.kernel * weights.kernel;
  return pack_transformed(weights, columns, lanes, 1, taps, [&](int o, int i, float* numbers) {
    for (int tap = 0; tap < taps; ++tap)
      numbers[tap] = weights.at(o, i, tap / weights.kernel, tap % weights.kernel);
  });
}

AlignedFloats pack_tiled(const ConvWeights& weights, Tiling tiling, int columns, int lanes) {
  const auto& transform = kTransforms[tiling];
  const std::size_t n = static_cast<std::size_t>(kTilingShapes[tiling].products);
  return pack_transformed(
      weights, columns, lanes, static_cast<int>(n * n), 1, [&](int o, int i, float* numbers) {
        double rows[6][3] = {};  // transformed along the columns only
        for (std::size_t r = 0; r < n; ++r)
          for (int y = 0; y < 3; ++y)
            for (int x = 0; x < 3; ++x)
              rows[r][x] += transform[r][static_cast<std::size_t>(y)] *
                            static_cast<double>(weights.at(o, i, y, x));
        for (std::size_t r = 0; r < n; ++r)
          for (std::size_t c = 0; c < n; ++c)
            *numbers++ =
                static_cast<float>(transform[c][0] * rows[r][0] + transform[c][1] * rows[r][1] +
                                   transform[c][2] * rows[r][2]);
      });
}

}  // namespace unetseg::fused
