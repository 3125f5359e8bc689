// SPDX-License-Identifier: MIT
// The kernels, for any register width. Included once by each file that is compiled for an
// instruction set; everything is local to it, since the same template compiled with other flags is
// other code.
#pragma once

#include <cstring>
#include <type_traits>

#include "model/engine/fused/kernels.h"

namespace unetseg::fused {
namespace {

#define UNETSEG_ALWAYS inline __attribute__((always_inline))

constexpr float kSlope = 0.01f;

// GCC knows no vectors whose size is a template's argument.
template <int Lanes>
struct VectorTypes;
template <>
struct VectorTypes<4> {
  typedef float Floats __attribute__((vector_size(16)));
  typedef int Integers __attribute__((vector_size(16)));
};
template <>
struct VectorTypes<8> {
  typedef float Floats __attribute__((vector_size(32)));
  typedef int Integers __attribute__((vector_size(32)));
};
template <>
struct VectorTypes<16> {
  typedef float Floats __attribute__((vector_size(64)));
  typedef int Integers __attribute__((vector_size(64)));
};

// `Lanes` floats in a register, `Registers` of them.
template <int Lanes, int Registers>
struct KernelSet {
  using Vector = typename VectorTypes<Lanes>::Floats;
  using Integers = typename VectorTypes<Lanes>::Integers;

  static UNETSEG_ALWAYS Vector load(const float* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static UNETSEG_ALWAYS void store(float* p, Vector v) { std::memcpy(p, &v, sizeof v); }
  static UNETSEG_ALWAYS Vector all(float x) { return x - Vector{}; }
  static UNETSEG_ALWAYS Vector larger(Vector a, Vector b) { return a > b ? a : b; }

  struct Affine {
    Vector scale, offset;
    UNETSEG_ALWAYS Vector operator()(Vector x) const {
      const Vector v = scale * x + offset;
      return larger(v, kSlope * v);
    }
  };
  static UNETSEG_ALWAYS Affine affine(const Lazy& lazy, int channel) {
    return {load(lazy.scale + channel), load(lazy.offset + channel)};
  }

  // ---- Activated pixels

  template <bool Two>
  static void activate_term(const Term& term, std::ptrdiff_t first_pixel, int pixels, float* out,
                            std::ptrdiff_t out_step) {
    const std::ptrdiff_t step = term.channels;
    for (int c = 0; c < term.channels; c += Lanes) {
      const Affine f = affine(term.first, c);
      const Affine g = Two ? affine(term.second, c) : f;
      const float* a = term.first.raw + first_pixel * step + c;
      const float* b = Two ? term.second.raw + first_pixel * step + c : a;
      float* to = out + c;
      for (int x = 0; x < pixels; ++x, a += step, b += step, to += out_step) {
        Vector v = f(load(a));
        if (Two) v += g(load(b));
        store(to, v);
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

  // ---- Products: `Rows` pixels by `Wide` registers of output channels, over taps and channels

  // A third of the registers is left for weights and inputs where there are 16, a quarter of 32.
  static constexpr int kMostRows(int wide) { return (Registers == 32 ? 24 : 12) / wide; }

  template <int Rows, int Wide>
  static UNETSEG_ALWAYS void accumulate(const float* in, std::ptrdiff_t in_step,
                                        const std::ptrdiff_t* taps, int n_taps, int channels,
                                        const float* weights, Vector (&sum)[Rows][Wide]) {
    // Large layers' weights come from far: the next block's are asked for meanwhile. A tenth of an
    // inference with AVX2; with AVX-512's blocks it costs more than it gives (Zen 4).
    constexpr bool kFetchesAhead = Registers < 32;
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
        for (int i = 0; i < Wide; ++i) w[i] = load(weights + i * Lanes);
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
      for (int w = 0; w < Wide; ++w) store(out + r * job.out_step + w * Lanes, sum[r][w]);
  }

  // Adds to the moments of `Wide` registers of channels; the very first pixel gives the shift.
  template <int Rows, int Wide>
  static UNETSEG_ALWAYS void note(const Moments& moments, int channel, bool first,
                                  const Vector (&values)[Rows][Wide]) {
    for (int w = 0; w < Wide; ++w) {
      const int c = channel + w * Lanes;
      if (first) {
        store(moments.shift + c, values[0][w]);
        store(moments.sum + c, Vector{});
        store(moments.square + c, Vector{});
      }
      const Vector shift = load(moments.shift + c);
      Vector sum = Vector{}, square = Vector{};
      for (int r = 0; r < Rows; ++r) {
        const Vector d = values[r][w] - shift;
        sum += d;
        square += d * d;
      }
      store(moments.sum + c, load(moments.sum + c) + sum);
      store(moments.square + c, load(moments.square + c) + square);
    }
  }

  template <int Rows, int Wide>
  static void direct_block(const DirectJob& job, const float* in, const float* weights, float* out,
                           int channel, bool first) {
    Vector sum[Rows][Wide];
    accumulate<Rows, Wide>(in, job.in_pixel_step, job.taps, job.n_taps, job.channels, weights, sum);
    for (int r = 0; r < Rows; ++r)
      for (int w = 0; w < Wide; ++w) store(out + r * job.out_pixel_step + w * Lanes, sum[r][w]);
    note<Rows, Wide>(job.moments, channel, first, sum);
  }

  // Calls f.template operator()<n>() for n = count, 1 .. Most.
  template <int Most, typename F>
  static UNETSEG_ALWAYS void with_count(int count, F&& f) {
    if constexpr (Most > 1) {
      if (count < Most) return with_count<Most - 1>(count, f);
    }
    f(std::integral_constant<int, Most>());
  }

  // Splits `total` rows into blocks that differ by one at most.
  template <int Wide, typename F>
  static UNETSEG_ALWAYS void in_blocks(int total, F&& block) {
    constexpr int kMost = kMostRows(Wide);
    const int blocks = (total + kMost - 1) / kMost;
    int done = 0;
    for (int b = 0; b < blocks; ++b) {
      const int count = (total - done) / (blocks - b);
      with_count<kMost>(count, [&](auto n) { block(n, done); });
      done += count;
    }
  }

  template <int Wide>
  static void multiply_wide(const MatrixJob& job, int channel) {
    const float* weights = job.weights + static_cast<std::ptrdiff_t>(channel) * job.channels;
    in_blocks<Wide>(job.rows, [&](auto n, int row) {
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
      in_blocks<Wide>(job.width, [&](auto n, int x) {
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

  // ---- Winograd's transforms (Lavin and Gray, arXiv:1509.09308)

  // Each names the pixels from a tile to the next and those that a tile sees, its numbers after the
  // input's transform, its products, and the outputs that they make; along one axis.

  struct F2 {
    static constexpr int kStep = 2, kSeen = 4, kNumbers = 4, kProducts = 4, kOut = 2;
    static UNETSEG_ALWAYS void input(const Vector (&d)[4], Vector (&t)[4]) {
      t[0] = d[0] - d[2];
      t[1] = d[1] + d[2];
      t[2] = d[2] - d[1];
      t[3] = d[1] - d[3];
    }
    static UNETSEG_ALWAYS void output(const Vector (&m)[4], Vector (&o)[2]) {
      o[0] = m[0] + m[1] + m[2];
      o[1] = m[1] - m[2] - m[3];
    }
  };

  struct F4 {
    static constexpr int kStep = 4, kSeen = 6, kNumbers = 6, kProducts = 6, kOut = 4;
    static UNETSEG_ALWAYS void input(const Vector (&d)[6], Vector (&t)[6]) {
      const Vector even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
      const Vector even2 = d[4] - d[2], odd2 = 2.0f * (d[3] - d[1]);
      t[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
      t[1] = even + odd;
      t[2] = even - odd;
      t[3] = even2 + odd2;
      t[4] = even2 - odd2;
      t[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
    }
    static UNETSEG_ALWAYS void output(const Vector (&m)[6], Vector (&o)[4]) {
      const Vector s1 = m[1] + m[2], d1 = m[1] - m[2];
      const Vector s2 = m[3] + m[4], d2 = m[3] - m[4];
      o[0] = m[0] + s1 + s2;
      o[1] = d1 + 2.0f * d2;
      o[2] = s1 + 4.0f * s2;
      o[3] = d1 + 8.0f * d2 + m[5];
    }
  };

  // Of a picture that is enlarged twofold: even and odd outputs are convolutions of the small one
  // with two taps, (g0, g1 + g2) and (g0 + g1, g2), and two outputs of each take three products.
  struct Up {
    static constexpr int kStep = 2, kSeen = 4, kNumbers = 5, kProducts = 6, kOut = 4;
    static UNETSEG_ALWAYS void input(const Vector (&d)[4], Vector (&t)[5]) {
      t[0] = d[0] - d[1];
      t[1] = d[1];
      t[2] = d[2] - d[1];
      t[3] = d[2];
      t[4] = d[3] - d[2];
    }
    static UNETSEG_ALWAYS void output(const Vector (&m)[6], Vector (&o)[4]) {
      o[0] = m[0] + m[1];
      o[1] = m[3] + m[4];
      o[2] = m[1] + m[2];
      o[3] = m[4] + m[5];
    }
  };

  static constexpr int kTilesAtOnce = 16;  // their columns stay in the first cache

  // Activates one register of channels in the columns of a few tiles and transforms along the
  // columns; columns and rows outside the picture are zero. `Inside`: no row is outside.
  template <typename F, bool Two, bool Inside>
  static UNETSEG_ALWAYS void transform_columns(const InputTransform& job, int channel, int tile_row,
                                               int first_tile, int tiles, Vector* columns) {
    constexpr int kSeen = F::kSeen, kStep = F::kStep, kNumbers = F::kNumbers;
    const Affine f = affine(job.term.first, channel);
    const Affine g = Two ? affine(job.term.second, channel) : f;
    const int top = tile_row * kStep - 1, left = first_tile * kStep - 1;
    const int width = job.rows.width;
    const std::ptrdiff_t step = job.term.channels;
    std::ptrdiff_t row_at[kSeen];
    bool there[kSeen];
    for (int r = 0; r < kSeen; ++r) {
      there[r] = Inside || (top + r >= 0 && top + r < job.rows.height);
      row_at[r] = (there[r] ? top + r : 0) * static_cast<std::ptrdiff_t>(width) * step + channel;
    }
    const int n = tiles * kStep + kSeen - kStep;
    for (int i = 0; i < n; ++i, columns += kNumbers) {
      const int x = left + i;
      if (x < 0 || x >= width) {
        for (int r = 0; r < kNumbers; ++r) columns[r] = Vector{};
        continue;
      }
      Vector d[kSeen], t[kNumbers];
      for (int r = 0; r < kSeen; ++r) {
        const std::ptrdiff_t at = row_at[r] + x * step;
        d[r] = f(load(job.term.first.raw + at));
        if (Two) d[r] += g(load(job.term.second.raw + at));
        if (!Inside && !there[r]) d[r] = Vector{};
      }
      F::input(d, t);
      for (int r = 0; r < kNumbers; ++r) columns[r] = t[r];
    }
  }

  template <typename F>
  static UNETSEG_ALWAYS void transform_rows(const Vector* columns, int tiles, float* out,
                                            const InputTransform& job) {
    constexpr int kSeen = F::kSeen, kNumbers = F::kNumbers;
    for (int tile = 0; tile < tiles; ++tile, columns += kNumbers * F::kStep, out += job.tile_step)
      for (int r = 0; r < kNumbers; ++r) {
        Vector d[kSeen], t[kNumbers];
        for (int i = 0; i < kSeen; ++i) d[i] = columns[i * kNumbers + r];
        F::input(d, t);
        for (int i = 0; i < kNumbers; ++i) store(out + (r * kNumbers + i) * job.number_step, t[i]);
      }
  }

  template <typename F, bool Two>
  static void transform_input(const InputTransform& job) {
    constexpr int kSeen = F::kSeen, kStep = F::kStep;
    Vector columns[(kTilesAtOnce * kStep + kSeen - kStep) * F::kNumbers];
    float* row_out = job.out;
    for (int i = 0; i < job.rows.count; ++i) {
      const int row = job.rows.first + i;
      const bool inside = row > 0 && row * kStep - 1 + kSeen <= job.rows.height;
      for (int first = 0; first < job.rows.tiles_across; first += kTilesAtOnce) {
        const int left = job.rows.tiles_across - first;
        const int tiles = left < kTilesAtOnce ? left : kTilesAtOnce;
        for (int c = 0; c < job.term.channels; c += Lanes) {
          if (inside)
            transform_columns<F, Two, true>(job, c, row, first, tiles, columns);
          else
            transform_columns<F, Two, false>(job, c, row, first, tiles, columns);
          transform_rows<F>(columns, tiles, row_out + first * job.tile_step + c, job);
        }
      }
      row_out += job.rows.tiles_across * job.tile_step;
    }
  }

  template <typename F>
  static void input_transform(const InputTransform& job) {
    if (job.term.second.raw != nullptr)
      transform_input<F, true>(job);
    else
      transform_input<F, false>(job);
  }

  template <typename F>
  static UNETSEG_ALWAYS void inverse(const float* in, std::ptrdiff_t product_step,
                                     Vector (&out)[F::kOut][F::kOut]) {
    constexpr int kProducts = F::kProducts, kOut = F::kOut;
    Vector half[kOut][kProducts];
    for (int i = 0; i < kProducts; ++i) {
      Vector m[kProducts], o[kOut];
      for (int r = 0; r < kProducts; ++r) m[r] = load(in + (r * kProducts + i) * product_step);
      F::output(m, o);
      for (int r = 0; r < kOut; ++r) half[r][i] = o[r];
    }
    for (int r = 0; r < kOut; ++r) F::output(half[r], out[r]);
  }

  template <typename F>
  static void output_transform(const OutputTransform& job) {
    constexpr int kOut = F::kOut;
    const int width = job.rows.width, height = job.rows.height;
    const std::ptrdiff_t pixel = job.channels, row = width * pixel;
    const float* in = job.in;
    bool first = true;
    for (int i = 0; i < job.rows.count; ++i)
      for (int tile = 0; tile < job.rows.tiles_across; ++tile, in += job.tile_step) {
        const int y = (job.rows.first + i) * kOut, x = tile * kOut;
        const int rows = height - y < kOut ? height - y : kOut;
        const int columns = width - x < kOut ? width - x : kOut;
        float* out = job.out + y * row + x * pixel;
        for (int c = 0; c < job.channels; c += Lanes) {
          Vector o[kOut][kOut];
          inverse<F>(in + c, job.product_step, o);
          if (rows == kOut && columns == kOut) {
            for (int r = 0; r < kOut; ++r) {
              for (int j = 0; j < kOut; ++j) store(out + r * row + j * pixel + c, o[r][j]);
            }
            note_tile<kOut>(job.moments, c, first, o);
            continue;
          }
          for (int r = 0; r < rows; ++r)
            for (int j = 0; j < columns; ++j) {
              store(out + r * row + j * pixel + c, o[r][j]);
              const Vector one[1][1] = {{o[r][j]}};
              note<1, 1>(job.moments, c, first && r == 0 && j == 0, one);
            }
        }
        first = false;
      }
  }

  template <int Out>
  static UNETSEG_ALWAYS void note_tile(const Moments& moments, int channel, bool first,
                                       const Vector (&o)[Out][Out]) {
    Vector values[Out * Out][1];
    for (int r = 0; r < Out; ++r)
      for (int j = 0; j < Out; ++j) values[r * Out + j][0] = o[r][j];
    note<Out * Out, 1>(moments, channel, first, values);
  }

  // ---- Logits

  static UNETSEG_ALWAYS float total(Vector v) {
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
        sum += load(job.weights + c) * affine(job.term.first, c)(load(job.term.first.raw + at + c));
      job.out[x] = total(sum) + job.bias;
    }
  }

  // exp by 2^n times a polynomial of degree 6 on half an octave to either side (Cephes' expf).
  static UNETSEG_ALWAYS Vector exponential(Vector x) {
    const Vector top = all(87.0f);
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
    const Integers n = (__builtin_convertvector(rounded, Integers) + 127) << 23;
    return p * reinterpret_cast<Vector>(n);
  }

  static bool sigmoid(const float* logits, int count, float* probabilities) {
    float odd = 0;
    for (int i = 0; i < count; i += Lanes) {
      float padded[Lanes] = {};
      const int n = count - i < Lanes ? count - i : Lanes;
      std::memcpy(padded, logits + i, static_cast<std::size_t>(n) * sizeof(float));
      const Vector x = load(padded);
      odd += total(x - x);  // 0 for all that is finite
      store(padded, 1.0f / (1.0f + exponential(-x)));
      std::memcpy(probabilities + i, padded, static_cast<std::size_t>(n) * sizeof(float));
    }
    return odd == 0;
  }

  static constexpr Kernels table(const char* name) {
    return {name,
            Lanes,
            activate,
            direct,
            multiply,
            {{input_transform<F2>, output_transform<F2>},
             {input_transform<F4>, output_transform<F4>},
             {input_transform<Up>, output_transform<Up>}},
            head,
            sigmoid};
  }
};

#undef UNETSEG_ALWAYS

}  // namespace
}  // namespace unetseg::fused
