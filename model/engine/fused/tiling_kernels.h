// SPDX-License-Identifier: MIT
// Transforms of Winograd's convolutions (Lavin and Gray, arXiv:1509.09308).
#pragma once

#include "model/engine/fused/registers.h"

namespace unetseg::fused {
namespace {

template <typename R>
struct TilingKernelsOf {
  using Vector = typename R::Vector;
  using Affine = typename R::Affine;
  static constexpr int Lanes = R::kLanes;

  // Each names the pixels from a tile to the next and those that a tile sees, its numbers after the
  // input's transform, its products, and the outputs that they make; along one axis.

  struct F2 {
    static constexpr int kStep = 2, kSeen = 4, kNumbers = 4, kProducts = 4, kOut = 2;
    static UNETSEG_INLINE void input(const Vector (&d)[4], Vector (&t)[4]) {
      t[0] = d[0] - d[2];
      t[1] = d[1] + d[2];
      t[2] = d[2] - d[1];
      t[3] = d[1] - d[3];
    }
    static UNETSEG_INLINE void output(const Vector (&m)[4], Vector (&o)[2]) {
      o[0] = m[0] + m[1] + m[2];
      o[1] = m[1] - m[2] - m[3];
    }
  };

  struct F4 {
    static constexpr int kStep = 4, kSeen = 6, kNumbers = 6, kProducts = 6, kOut = 4;
    static UNETSEG_INLINE void input(const Vector (&d)[6], Vector (&t)[6]) {
      const Vector even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
      const Vector even2 = d[4] - d[2], odd2 = 2.0f * (d[3] - d[1]);
      t[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
      t[1] = even + odd;
      t[2] = even - odd;
      t[3] = even2 + odd2;
      t[4] = even2 - odd2;
      t[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
    }
    static UNETSEG_INLINE void output(const Vector (&m)[6], Vector (&o)[4]) {
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
    static UNETSEG_INLINE void input(const Vector (&d)[4], Vector (&t)[5]) {
      t[0] = d[0] - d[1];
      t[1] = d[1];
      t[2] = d[2] - d[1];
      t[3] = d[2];
      t[4] = d[3] - d[2];
    }
    static UNETSEG_INLINE void output(const Vector (&m)[6], Vector (&o)[4]) {
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
  static UNETSEG_INLINE void transform_columns(const InputTransform& job, int channel, int tile_row,
                                               int first_tile, int tiles, Vector* columns) {
    constexpr int kSeen = F::kSeen, kStep = F::kStep, kNumbers = F::kNumbers;
    const Affine f = R::affine(job.term.first, channel);
    const Affine g = Two ? R::affine(job.term.second, channel) : f;
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
        d[r] = f(R::load(job.term.first.raw + at));
        if (Two) d[r] += g(R::load(job.term.second.raw + at));
        if (!Inside && !there[r]) d[r] = Vector{};
      }
      F::input(d, t);
      for (int r = 0; r < kNumbers; ++r) columns[r] = t[r];
    }
  }

  template <typename F>
  static UNETSEG_INLINE void transform_rows(const Vector* columns, int tiles, float* out,
                                            const InputTransform& job) {
    constexpr int kSeen = F::kSeen, kNumbers = F::kNumbers;
    for (int tile = 0; tile < tiles; ++tile, columns += kNumbers * F::kStep, out += job.tile_step)
      for (int r = 0; r < kNumbers; ++r) {
        Vector d[kSeen], t[kNumbers];
        for (int i = 0; i < kSeen; ++i) d[i] = columns[i * kNumbers + r];
        F::input(d, t);
        for (int i = 0; i < kNumbers; ++i)
          R::store(out + (r * kNumbers + i) * job.number_step, t[i]);
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
  static UNETSEG_INLINE void inverse(const float* in, std::ptrdiff_t product_step,
                                     Vector (&out)[F::kOut][F::kOut]) {
    constexpr int kProducts = F::kProducts, kOut = F::kOut;
    Vector half[kOut][kProducts];
    for (int i = 0; i < kProducts; ++i) {
      Vector m[kProducts], o[kOut];
      for (int r = 0; r < kProducts; ++r) m[r] = R::load(in + (r * kProducts + i) * product_step);
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
              for (int j = 0; j < kOut; ++j) R::store(out + r * row + j * pixel + c, o[r][j]);
            }
            note_tile<kOut>(job.moments, c, first, o);
            continue;
          }
          for (int r = 0; r < rows; ++r)
            for (int j = 0; j < columns; ++j) {
              R::store(out + r * row + j * pixel + c, o[r][j]);
              const Vector one[1][1] = {{o[r][j]}};
              R::template note<1, 1>(job.moments, c, first && r == 0 && j == 0, one);
            }
        }
        first = false;
      }
  }

  template <int Out>
  static UNETSEG_INLINE void note_tile(const Moments& moments, int channel, bool first,
                                       const Vector (&o)[Out][Out]) {
    Vector values[Out * Out][1];
    for (int r = 0; r < Out; ++r)
      for (int j = 0; j < Out; ++j) values[r * Out + j][0] = o[r][j];
    R::template note<Out * Out, 1>(moments, channel, first, values);
  }
};

}  // namespace
}  // namespace unetseg::fused
