// SPDX-License-Identifier: MIT
// Convolutions in bfloat16 with AVX512_BF16: a register holds sixteen sums, and an instruction adds
// two products to each.
#include "model/engine/fused/bf16_pixels.h"
#include "model/engine/fused/blocks.h"
#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"

namespace unetseg::fused {
namespace {

using R = Bf16Registers;

constexpr int kMostPixels = 12;  // with two registers of columns 24 of 32 registers are sums

template <int Pixels, int Wide>
void convolve_block(const Bf16Job& job, const Bf16* in, const Bf16* weights, Bf16* out, int column,
                    bool first) {
  const std::ptrdiff_t block = std::ptrdiff_t{job.n_steps} * kBf16Step * kBf16Columns;
  __m512 sum[Pixels][Wide];
  for (int p = 0; p < Pixels; ++p)
    for (int w = 0; w < Wide; ++w) sum[p][w] = _mm512_setzero_ps();
  for (int step = 0; step < job.n_steps; ++step)
    for (int i = 0; i < kBf16Step; i += 2, weights += 2 * kBf16Columns) {
      __m512i w[Wide];
      for (int k = 0; k < Wide; ++k) w[k] = _mm512_loadu_si512(weights + k * block);
      for (int p = 0; p < Pixels; ++p) {
        std::int32_t pair;
        std::memcpy(&pair, in + job.steps[step] + p * job.in_pixel_step + i, sizeof pair);
        const auto both = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
        for (int k = 0; k < Wide; ++k)
          sum[p][k] = _mm512_dpbf16_ps(sum[p][k], both, reinterpret_cast<__m512bh>(w[k]));
      }
    }
  R::Vector values[Pixels][Wide];
  for (int p = 0; p < Pixels; ++p)
    for (int k = 0; k < Wide; ++k) {
      values[p][k] = reinterpret_cast<R::Vector>(sum[p][k]);
      R::store(out + p * job.out_pixel_step + k * kBf16Columns, values[p][k]);
    }
  R::note<Pixels, Wide>(job.moments, column, first, values);
}

template <int Wide>
void convolve_columns(const Bf16Job& job, int column) {
  const Bf16* weights = job.weights + std::ptrdiff_t{column} * job.n_steps * kBf16Step;
  for (int y = 0; y < job.rows; ++y)
    in_blocks<kMostPixels>(job.width, [&](auto n, int x) {
      convolve_block<n.value, Wide>(
          job, job.in + y * job.in_row_step + x * job.in_pixel_step, weights,
          job.out + y * job.out_row_step + x * job.out_pixel_step + column, column,
          y == 0 && x == 0);
    });
}

void convolve(const Bf16Job& job) {
  int column = 0;
  for (; column + 2 * kBf16Columns <= job.out_channels; column += 2 * kBf16Columns)
    convolve_columns<2>(job, column);
  if (column < job.out_channels) convolve_columns<1>(job, column);
}

constexpr Bf16Kernels kBf16 = bf16_table(convolve);

}  // namespace

const Kernels avx512_bf16_kernels = kernel_table<16, 32>("avx512-bf16", &kBf16);

}  // namespace unetseg::fused
