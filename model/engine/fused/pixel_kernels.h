// SPDX-License-Identifier: MIT
// Kernels that go from pixel to pixel, or from channel to channel: activation, normalisation,
// heads, probabilities.
#pragma once

#include "model/engine/fused/registers.h"

namespace unetseg::fused {
namespace {

template <typename R>
struct PixelKernels {
  using Vector = typename R::Vector;
  using Affine = typename R::Affine;
  static constexpr int Lanes = R::kLanes;

  // Raw and Out: float or Bf16. One register of channels.
  template <bool Two, typename Raw, typename Out>
  static UNETSEG_INLINE void activate_channels(const TermOf<Raw>& term, int channel,
                                               std::ptrdiff_t first_pixel, int pixels, Out* out,
                                               std::ptrdiff_t out_step) {
    const std::ptrdiff_t step = term.channels;
    const Affine f = R::affine(term.first, channel);
    const Affine g = Two ? R::affine(term.second, channel) : f;
    const Raw* a = term.first.raw + first_pixel * step + channel;
    const Raw* b = Two ? term.second.raw + first_pixel * step + channel : a;
    Out* to = out + channel;
    for (int x = 0; x < pixels; ++x, a += step, b += step, to += out_step) {
      Vector v = f(R::load(a));
      if (Two) v += g(R::load(b));
      R::store(to, v);
    }
  }

  template <bool Two, typename Raw, typename Out>
  static void activate_term(const TermOf<Raw>& term, std::ptrdiff_t first_pixel, int pixels,
                            Out* out, std::ptrdiff_t out_step) {
    for (int c = 0; c < term.channels; c += Lanes)
      activate_channels<Two>(term, c, first_pixel, pixels, out, out_step);
  }

  template <typename Raw, typename Out>
  static void activate(const TermOf<Raw>& term, std::ptrdiff_t first_pixel, int pixels, Out* out,
                       std::ptrdiff_t out_step) {
    if (term.second.raw != nullptr)
      activate_term<true>(term, first_pixel, pixels, out, out_step);
    else
      activate_term<false>(term, first_pixel, pixels, out, out_step);
  }

  // The parts' moments are combined as Chan, Golub and LeVeque (1979) do.
  static void normalise(const NormaliseJob& job) {
    constexpr double kEpsilon = 1e-5;  // of InstanceNorm
    for (int c = 0; c < job.channels; c += Lanes) {
      double count = 0, mean[Lanes] = {}, squares[Lanes] = {};
      for (int part = 0; part < job.n_parts; ++part) {
        const Moments moments = job.first.from(part * job.part_step + c);
        const double n = job.pixels[part];
        const double of_all = n / (count + n), between = count * of_all;
        for (int i = 0; i < Lanes; ++i) {
          const double sum = static_cast<double>(moments.sum[i]), own_mean = sum / n;
          const double apart = static_cast<double>(moments.shift[i]) + own_mean - mean[i];
          squares[i] +=
              static_cast<double>(moments.square[i]) - sum * own_mean + apart * apart * between;
          mean[i] += apart * of_all;
        }
        count += n;
      }
      for (int i = 0; i < Lanes; ++i) {
        const double variance = (squares[i] > 0 ? squares[i] : 0) / count;
        const double scale =
            static_cast<double>(job.gamma[c + i]) / __builtin_sqrt(variance + kEpsilon);
        job.scale[c + i] = static_cast<float>(scale);
        job.offset[c + i] =
            static_cast<float>(static_cast<double>(job.beta[c + i]) - mean[i] * scale);
      }
    }
  }

  // A register of pixels at once.
  template <typename Raw>
  static void head(const HeadJobOf<Raw>& job) {
    const std::ptrdiff_t step = job.term.channels;
    const Raw* in = job.term.first.raw + job.first_pixel * step;
    for (int x = 0; x < job.pixels; x += Lanes, in += Lanes * step) {
      const int n = job.pixels - x < Lanes ? job.pixels - x : Lanes;
      Vector sums[Lanes] = {};
      for (int c = 0; c < job.term.channels; c += Lanes) {
        const Affine f = R::affine(job.term.first, c);
        const Vector weights = R::load(job.weights + c);
        for (int i = 0; i < n; ++i) sums[i] += weights * f(R::load(in + i * step + c));
      }
      R::sum_lanes(sums);
      const Vector logits = sums[0] + R::all(job.bias);
      std::memcpy(job.out + x, &logits, static_cast<std::size_t>(n) * sizeof(float));
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
    Vector odd = Vector{};
    for (int i = 0; i < count; i += Lanes) {
      float padded[Lanes] = {};
      const int n = count - i < Lanes ? count - i : Lanes;
      std::memcpy(padded, logits + i, static_cast<std::size_t>(n) * sizeof(float));
      const Vector x = R::load(padded);
      odd += x - x;  // 0 for all that is finite
      R::store(padded, 1.0f / (1.0f + exponential(-x)));
      std::memcpy(probabilities + i, padded, static_cast<std::size_t>(n) * sizeof(float));
    }
    float sum = 0;
    for (int i = 0; i < Lanes; ++i) sum += odd[i];
    return sum == 0;
  }
};

}  // namespace
}  // namespace unetseg::fused
