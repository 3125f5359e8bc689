// SPDX-License-Identifier: MIT
// Kernels that go from pixel to pixel: activation, heads, probabilities.
#pragma once

#include "model/engine/fused/registers.h"

namespace unetseg::fused {
namespace {

template <typename R>
struct PixelKernels {
  using Vector = typename R::Vector;
  using Affine = typename R::Affine;
  static constexpr int Lanes = R::kLanes;

  template <bool Two>
  static void activate_term(const Term& term, std::ptrdiff_t first_pixel, int pixels, float* out,
                            std::ptrdiff_t out_step) {
    const std::ptrdiff_t step = term.channels;
    for (int c = 0; c < term.channels; c += Lanes) {
      const Affine f = R::affine(term.first, c);
      const Affine g = Two ? R::affine(term.second, c) : f;
      const float* a = term.first.raw + first_pixel * step + c;
      const float* b = Two ? term.second.raw + first_pixel * step + c : a;
      float* to = out + c;
      for (int x = 0; x < pixels; ++x, a += step, b += step, to += out_step) {
        Vector v = f(R::load(a));
        if (Two) v += g(R::load(b));
        R::store(to, v);
      }
    }
  }

  static void activate(const Term& term, std::ptrdiff_t first_pixel, int pixels, float* out,
                       std::ptrdiff_t out_step) {
    if (term.second.raw != nullptr)
      activate_term<true>(term, first_pixel, pixels, out, out_step);
    else
      activate_term<false>(term, first_pixel, pixels, out, out_step);
  }

  static UNETSEG_INLINE float total(Vector v) {
    float sum = 0;
    for (int i = 0; i < Lanes; ++i) sum += v[i];
    return sum;
  }

  static void head(const HeadJob& job) {
    const std::ptrdiff_t step = job.term.channels;
    for (int x = 0; x < job.pixels; ++x) {
      const std::ptrdiff_t at = (job.first_pixel + x) * step;
      Vector sum = Vector{};
      for (int c = 0; c < job.term.channels; c += Lanes)
        sum += R::load(job.weights + c) *
               R::affine(job.term.first, c)(R::load(job.term.first.raw + at + c));
      job.out[x] = total(sum) + job.bias;
    }
  }

  // exp by 2^n times a polynomial of degree 6 on half an octave to either side (Cephes' expf).
  static UNETSEG_INLINE Vector exponential(Vector x) {
    const Vector top = R::all(87.0f);
    x = x < -top ? -top : (x > top ? top : x);
    const Vector scaled = x * 1.44269504f;
    const Vector rounded = scaled + 12582912.0f - 12582912.0f;  // to the nearest whole number
    const Vector r = x - rounded * 0.693359375f + rounded * 2.12194440e-4f;
    Vector p = 1.9875691500e-4f * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    const typename R::Integers n = (__builtin_convertvector(rounded, typename R::Integers) + 127)
                                   << 23;
    return p * reinterpret_cast<Vector>(n);
  }

  static bool sigmoid(const float* logits, int count, float* probabilities) {
    float odd = 0;
    for (int i = 0; i < count; i += Lanes) {
      float padded[Lanes] = {};
      const int n = count - i < Lanes ? count - i : Lanes;
      std::memcpy(padded, logits + i, static_cast<std::size_t>(n) * sizeof(float));
      const Vector x = R::load(padded);
      odd += total(x - x);  // 0 for all that is finite
      R::store(padded, 1.0f / (1.0f + exponential(-x)));
      std::memcpy(probabilities + i, padded, static_cast<std::size_t>(n) * sizeof(float));
    }
    return odd == 0;
  }
};

}  // namespace
}  // namespace unetseg::fused
