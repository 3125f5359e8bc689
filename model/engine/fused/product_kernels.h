// SPDX-License-Identifier: MIT
// Sums of products: `Rows` pixels by `Wide` registers of output channels, over taps and channels.
#pragma once

#include "model/engine/fused/blocks.h"
#include "model/engine/fused/registers.h"

namespace unetseg::fused {
namespace {

template <typename R>
struct ProductKernels {
  using Vector = typename R::Vector;
  static constexpr int Lanes = R::kLanes;

  // A third of the registers is left for weights and inputs where there are 16, a quarter of 32.
  static constexpr int kMostRows(int wide) { return (R::kCount == 32 ? 24 : 12) / wide; }

  template <int Rows, int Wide>
  static UNETSEG_INLINE void accumulate(const float* in, std::ptrdiff_t in_step,
                                        const std::ptrdiff_t* taps, int n_taps, int channels,
                                        const float* weights, Vector (&sum)[Rows][Wide]) {
    // Large layers' weights come from far: the next block's are asked for meanwhile. A tenth of an
    // inference with AVX2; with AVX-512's blocks it costs more than it gives (Zen 4).
    constexpr bool kFetchesAhead = R::kCount < 32;
    constexpr int kLine = 16;  // floats
    [[maybe_unused]] const std::ptrdiff_t ahead = std::ptrdiff_t{n_taps} * channels * Wide * Lanes;
    for (int r = 0; r < Rows; ++r)
      for (int w = 0; w < Wide; ++w) sum[r][w] = Vector{};
    for (int tap = 0; tap < n_taps; ++tap) {
      const float* from[Rows];
      for (int r = 0; r < Rows; ++r) from[r] = in + taps[tap] + r * in_step;
#pragma GCC unroll 4
      for (int c = 0; c < channels; ++c, weights += Wide * Lanes) {
        if constexpr (kFetchesAhead)
          for (int i = 0; i < Wide * Lanes; i += kLine)
            __builtin_prefetch(weights + ahead + i, 0, 2);
        Vector w[Wide];
        for (int i = 0; i < Wide; ++i) w[i] = R::load(weights + i * Lanes);
        for (int r = 0; r < Rows; ++r)
          for (int i = 0; i < Wide; ++i) sum[r][i] += from[r][c] * w[i];
      }
    }
  }

  template <int Rows, int Wide>
  static void multiply_block(const MatrixJob& job, const float* in, const float* weights,
                             float* out) {
    constexpr std::ptrdiff_t kHere[] = {0};
    Vector sum[Rows][Wide];
    accumulate<Rows, Wide>(in, job.in_step, kHere, 1, job.channels, weights, sum);
    for (int r = 0; r < Rows; ++r)
      for (int w = 0; w < Wide; ++w) R::store(out + r * job.out_step + w * Lanes, sum[r][w]);
  }

  template <int Rows, int Wide>
  static void direct_block(const DirectJob& job, const float* in, const float* weights, float* out,
                           int channel, bool first) {
    Vector sum[Rows][Wide];
    accumulate<Rows, Wide>(in, job.in_pixel_step, job.taps, job.n_taps, job.channels, weights, sum);
    for (int r = 0; r < Rows; ++r)
      for (int w = 0; w < Wide; ++w) R::store(out + r * job.out_pixel_step + w * Lanes, sum[r][w]);
    R::template note<Rows, Wide>(job.moments, channel, first, sum);
  }

  template <int Wide>
  static void multiply_wide(const MatrixJob& job, int channel) {
    const float* weights = job.weights + static_cast<std::ptrdiff_t>(channel) * job.channels;
    in_blocks<kMostRows(Wide)>(job.rows, [&](auto n, int row) {
      multiply_block<n.value, Wide>(job, job.in + row * job.in_step, weights,
                                    job.out + row * job.out_step + channel);
    });
  }

  static void multiply(const MatrixJob& job) {
    int channel = 0;
    for (; channel + kBlockRegisters * Lanes <= job.out_channels;
         channel += kBlockRegisters * Lanes)
      multiply_wide<kBlockRegisters>(job, channel);
    if (channel < job.out_channels) multiply_wide<1>(job, channel);
  }

  template <int Wide>
  static void direct_wide(const DirectJob& job, int channel) {
    const float* weights =
        job.weights + static_cast<std::ptrdiff_t>(channel) * job.n_taps * job.channels;
    for (int y = 0; y < job.rows; ++y)
      in_blocks<kMostRows(Wide)>(job.width, [&](auto n, int x) {
        direct_block<n.value, Wide>(
            job, job.in + y * job.in_row_step + x * job.in_pixel_step, weights,
            job.out + y * job.out_row_step + x * job.out_pixel_step + channel, channel,
            y == 0 && x == 0);
      });
  }

  static void direct(const DirectJob& job) {
    int channel = 0;
    for (; channel + kBlockRegisters * Lanes <= job.out_channels;
         channel += kBlockRegisters * Lanes)
      direct_wide<kBlockRegisters>(job, channel);
    if (channel < job.out_channels) direct_wide<1>(job, channel);
  }
};

}  // namespace
}  // namespace unetseg::fused
