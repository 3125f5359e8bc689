// SPDX-License-Identifier: MIT
#include "model/engine/fused/packing.h"

#include <array>

#include "model/storage/half.h"

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

// Input channels by their place, -1 where there is none.
std::vector<int> channel_at(const ConvWeights& weights) {
  std::vector<int> channels(static_cast<std::size_t>(weights.in_channels), -1);
  for (int i = 0; i < weights.in; ++i)
    channels[static_cast<std::size_t>(weights.in_channel[static_cast<std::size_t>(i)])] = i;
  return channels;
}

// How a kernel of `side` x `side` taps is laid out for `at_once` outputs of `columns` each.
struct Bf16Layout {
  int side, columns, at_once;
  std::vector<Bf16Place> order;
  Bf16Layout(const ConvWeights& weights, int taps, int padded_columns, int outputs)
      : side(taps),
        columns(padded_columns),
        at_once(outputs),
        order(bf16_order(taps, taps + outputs - 1, weights.in_channels)) {}
  std::size_t size() const {
    return order.size() * kBf16Step * static_cast<std::size_t>(columns * at_once);
  }
  std::size_t place(std::size_t step, int value, int column) const {
    return static_cast<std::size_t>(column / kBf16Columns) * order.size() * kBf16Step *
               kBf16Columns +
           (step * kBf16Step + static_cast<std::size_t>(value / 2 * 2)) * kBf16Columns +
           static_cast<std::size_t>(2 * (column % kBf16Columns) + value % 2);
  }
};

// Writes what at(output, input, y, x) gives.
template <typename At>
void write_bf16(const ConvWeights& weights, const Bf16Layout& layout, At&& at, Bf16* out) {
  const std::vector<int> channels = channel_at(weights);
  for (std::size_t step = 0; step < layout.order.size(); ++step)
    for (int i = 0; i < kBf16Step; ++i) {
      const Bf16Place& from = layout.order[step];
      const int value = from.value + i, pixel = value / weights.in_channels;
      const int in = channels[static_cast<std::size_t>(value % weights.in_channels)];
      for (int output = 0; output < layout.at_once; ++output) {
        const int x = pixel - output;
        if (x < 0 || x >= layout.side || in < 0) continue;
        for (int o = 0; o < weights.out; ++o)
          out[layout.place(step, i, output * layout.columns + o)] =
              float_to_bfloat16(at(o, in, from.row, x));
      }
    }
}

}  // namespace

std::vector<Bf16Place> bf16_order(int rows, int pixels, int channels) {
  std::vector<Bf16Place> order;
  for (int y = 0; y < rows; ++y)
    for (int value = 0; value < pixels * channels; value += kBf16Step) order.push_back({y, value});
  return order;
}

Aligned<Bf16> pack_bf16(const ConvWeights& weights, int columns, int at_once) {
  const Bf16Layout layout(weights, weights.kernel, columns, at_once);
  Aligned<Bf16> packed(layout.size());
  write_bf16(
      weights, layout, [&](int o, int i, int y, int x) { return weights.at(o, i, y, x); },
      packed.data());
  return packed;
}

Aligned<Bf16> pack_bf16_enlarged(const ConvWeights& weights, int columns) {
  constexpr int kTaps = 2;
  // Which of the three taps fall on the first and the second pixel of an even and of an odd output.
  constexpr int kFirst[2][kTaps] = {{0, 1}, {0, 2}}, kEnd[2][kTaps] = {{1, 3}, {2, 3}};
  const Bf16Layout layout(weights, kTaps, columns, 1);
  Aligned<Bf16> packed(4 * layout.size());
  for (int down = 0; down < 2; ++down)
    for (int across = 0; across < 2; ++across)
      write_bf16(
          weights, layout,
          [&](int o, int i, int y, int x) {
            double sum = 0;
            for (int v = kFirst[down][y]; v < kEnd[down][y]; ++v)
              for (int u = kFirst[across][x]; u < kEnd[across][x]; ++u)
                sum += static_cast<double>(weights.at(o, i, v, u));
            return static_cast<float>(sum);
          },
          packed.data() + static_cast<std::size_t>(2 * down + across) * layout.size());
  return packed;
}

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
