// SPDX-License-Identifier: MIT
// What the tables in bfloat16 have in common: all but the convolution, with AVX512_BF16.
#pragma once

#include <immintrin.h>

#include "model/engine/fused/pixel_kernels.h"

namespace unetseg::fused {
namespace {

using Bf16Registers = Registers<16, 32>;

void interleave(const float* planes, std::ptrdiff_t plane_step, int pixels, Bf16* out) {
  constexpr int kAtOnce = 16;
  for (int i = 0; i < pixels; i += kAtOnce) {
    const int n = pixels - i < kAtOnce ? pixels - i : kAtOnce;
    const auto there = static_cast<__mmask16>((1u << n) - 1);
    __m256i values[3];
    for (int c = 0; c < 3; ++c)
      values[c] = reinterpret_cast<__m256i>(
          _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(there, planes + c * plane_step + i)));
    for (int half = 0; half < 2; ++half) {
      const auto pick = [&](int c) {
        return _mm512_cvtepu16_epi64(half == 0 ? _mm256_castsi256_si128(values[c])
                                               : _mm256_extracti128_si256(values[c], 1));
      };
      const __m512i together = _mm512_or_si512(
          pick(0), _mm512_or_si512(_mm512_slli_epi64(pick(1), 16), _mm512_slli_epi64(pick(2), 32)));
      _mm512_mask_storeu_epi64(out + 4 * (i + 8 * half), static_cast<__mmask8>(there >> (8 * half)),
                               together);
    }
  }
}

// Thirty-two values, as sixteen lanes of one at an even place and its neighbour.
struct Pairs {
  Bf16Registers::Vector even, odd;
};

UNETSEG_INLINE Pairs load_pairs(const Bf16* from) {
  const __m512i both = _mm512_loadu_si512(from);
  const __m512i upper = _mm512_set1_epi32(static_cast<int>(0xffff0000));
  return {reinterpret_cast<Bf16Registers::Vector>(_mm512_slli_epi32(both, 16)),
          reinterpret_cast<Bf16Registers::Vector>(_mm512_and_si512(both, upper))};
}

// Of `first` and `second`, sixteen floats each.
UNETSEG_INLINE Pairs pair_up(const float* first, const float* second) {
  const __m512i even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  const __m512 a = _mm512_loadu_ps(first), b = _mm512_loadu_ps(second);
  return {reinterpret_cast<Bf16Registers::Vector>(_mm512_permutex2var_ps(a, even, b)),
          reinterpret_cast<Bf16Registers::Vector>(_mm512_permutex2var_ps(a, odd, b))};
}

// Rounded, in the order in which they were loaded.
UNETSEG_INLINE __m512i round_pairs(const Pairs& pairs) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(
      order, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(pairs.odd),
                                                           reinterpret_cast<__m512>(pairs.even))));
}

struct PairsAffine {
  Bf16Registers::Affine even, odd;
  // Of channels `first` .. first + 15 and `second` .. second + 15.
  PairsAffine(const LazyOf<Bf16>& lazy, int first, int second) {
    const Pairs scale = pair_up(lazy.scale + first, lazy.scale + second);
    const Pairs offset = pair_up(lazy.offset + first, lazy.offset + second);
    even = {scale.even, offset.even};
    odd = {scale.odd, offset.odd};
  }
  UNETSEG_INLINE Pairs operator()(const Pairs& x) const { return {even(x.even), odd(x.odd)}; }
};

// Thirty-two values at a time: as many channels, or sixteen of two pixels.
template <bool Two>
struct PairsTerm {
  const Bf16 *a, *b;
  PairsAffine f, g;
  PairsTerm(const TermOf<Bf16>& term, std::ptrdiff_t first_value, int first, int second)
      : a(term.first.raw + first_value),
        b(Two ? term.second.raw + first_value : a),
        f(term.first, first, second),
        g(Two ? term.second : term.first, first, second) {}
  UNETSEG_INLINE __m512i at(std::ptrdiff_t value) const {
    Pairs v = f(load_pairs(a + value));
    if (Two) {
      const Pairs w = g(load_pairs(b + value));
      v.even += w.even;
      v.odd += w.odd;
    }
    return round_pairs(v);
  }
};

template <bool Two>
void activate_pairs(const TermOf<Bf16>& term, std::ptrdiff_t first_pixel, int pixels, Bf16* out,
                    std::ptrdiff_t out_step) {
  constexpr int kLanes = Bf16Registers::kLanes;
  const std::ptrdiff_t step = term.channels;
  for (int c = 0; c + 2 * kLanes <= term.channels; c += 2 * kLanes) {
    const PairsTerm<Two> pairs(term, first_pixel * step + c, c, c + kLanes);
    for (int x = 0; x < pixels; ++x)
      _mm512_storeu_si512(out + x * out_step + c, pairs.at(x * step));
  }
  if (term.channels % (2 * kLanes) == 0) return;
  const int last = term.channels - kLanes;
  int x = 0;
  if (step == kLanes) {
    const PairsTerm<Two> pairs(term, first_pixel * step, 0, 0);
    for (; x + 2 <= pixels; x += 2) {
      const __m512i both = pairs.at(x * step);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x * out_step),
                          _mm512_castsi512_si256(both));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + (x + 1) * out_step),
                          _mm512_extracti64x4_epi64(both, 1));
    }
  }
  PixelKernels<Bf16Registers>::activate_channels<Two>(term, last, first_pixel + x, pixels - x,
                                                      out + x * out_step, out_step);
}

void activate_bf16(const TermOf<Bf16>& term, std::ptrdiff_t first_pixel, int pixels, Bf16* out,
                   std::ptrdiff_t out_step) {
  if (term.second.raw != nullptr)
    activate_pairs<true>(term, first_pixel, pixels, out, out_step);
  else
    activate_pairs<false>(term, first_pixel, pixels, out, out_step);
}

// One pixel's dot product, in sixteen parts.
UNETSEG_INLINE Bf16Registers::Vector head_pixel(const Bf16* in, const PairsAffine& f,
                                                const Pairs& weights) {
  const Pairs v = f(load_pairs(in));
  return weights.even * v.even + weights.odd * v.odd;
}

void head_bf16(const HeadJobOf<Bf16>& job) {
  using R = Bf16Registers;
  constexpr int kLanes = R::kLanes;
  const std::ptrdiff_t step = job.term.channels;
  const Bf16* in = job.term.first.raw + job.first_pixel * step;
  int x = 0;
  if (step == 2 * kLanes) {
    const PairsAffine f(job.term.first, 0, kLanes);
    const Pairs weights = pair_up(job.weights, job.weights + kLanes);
    for (; x + kLanes <= job.pixels; x += kLanes) {
      R::Vector sums[kLanes];
      for (int i = 0; i < kLanes; ++i) sums[i] = head_pixel(in + (x + i) * step, f, weights);
      R::sum_lanes(sums);
      R::store(job.out + x, sums[0] + R::all(job.bias));
    }
  }
  HeadJobOf<Bf16> rest = job;
  rest.first_pixel += x;
  rest.pixels -= x;
  rest.out += x;
  PixelKernels<R>::head(rest);
}

constexpr Bf16Kernels bf16_table(void (*convolve)(const Bf16Job& job)) {
  return {activate_bf16, interleave, convolve, head_bf16};
}

}  // namespace
}  // namespace unetseg::fused
