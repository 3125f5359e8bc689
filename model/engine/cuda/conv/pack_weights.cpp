// SPDX-License-Identifier: MIT
#include "model/engine/cuda/conv/pack_weights.h"

#include <numeric>

namespace unetseg::cuda {
namespace {

std::uint16_t bits_of(float value, NumberType type) {
  if (type == NumberType::bf16) {
    Bfloat16 number;
    store(value, &number);
    return number.bits;
  }
  Half number;
  store(value, &number);
  return number.bits;
}

// The 3x3 taps, along one axis, that read the same pixel as this tap of a phase of two.
struct Range {
  int first, last;
};
Range taps_of(int phase, int tap) {
  if (phase == 0) return tap == 0 ? Range{0, 0} : Range{1, 2};
  return tap == 0 ? Range{0, 1} : Range{2, 2};
}

}  // namespace

std::vector<std::uint16_t> pack_weights(const float* weights, ConvKind kind,
                                        const std::vector<int>& inputs, int out_channels,
                                        NumberType type) {
  const int in_channels = std::accumulate(inputs.begin(), inputs.end(), 0);
  const int phases = phases_of(kind), kernel = kernel_of(kind);
  const int given = kind == ConvKind::pointwise ? 1 : 3;
  int padded = 0;
  for (const int channels : inputs) padded += multiple_of(channels, kMatrixDepth);
  const int blocks = padded / kMatrixDepth;
  const int columns = multiple_of(out_channels, kMostColumns) / kPackedColumns;
  std::vector<std::uint16_t> packed(static_cast<std::size_t>(phases) * columns * kernel * kernel *
                                    blocks * kPackedBlock);

  const auto weight = [&](int out, int in, int phase, int tap_y, int tap_x) {
    const float* taps =
        weights + (static_cast<std::size_t>(out) * in_channels + in) * given * given;
    if (phases == 1) return taps[tap_y * given + tap_x];
    const Range down = taps_of(phase / 2, tap_y), right = taps_of(phase % 2, tap_x);
    float sum = 0;
    for (int y = down.first; y <= down.last; ++y)
      for (int x = right.first; x <= right.last; ++x) sum += taps[y * given + x];
    return sum;
  };

  for (int phase = 0; phase < phases; ++phase)
    for (int out = 0; out < out_channels; ++out)
      for (int tap = 0; tap < kernel * kernel; ++tap) {
        int in = 0, place = 0;
        for (const int channels : inputs) {
          for (int i = 0; i < channels; ++i) {
            const int depth = place + i;
            const std::size_t block =
                (static_cast<std::size_t>(phase * columns + out / kPackedColumns) * kernel *
                     kernel +
                 tap) *
                    blocks +
                depth / kMatrixDepth;
            packed[block * kPackedBlock +
                   packed_place(depth % kMatrixDepth, out % kPackedColumns)] =
                bits_of(weight(out, in + i, phase, tap / kernel, tap % kernel), type);
          }
          in += channels;
          place += multiple_of(channels, kMatrixDepth);
        }
      }
  return packed;
}

}  // namespace unetseg::cuda
