// SPDX-License-Identifier: MIT
// The kernels as plain loops: what each of them means, and what the fast ones are checked against.
#include <algorithm>
#include <cmath>

#include "model/engine/fused/kernel_templates.h"
#include "model/engine/fused/variants.h"
#include "model/storage/half.h"

namespace unetseg::fused {
namespace {

using Offset = std::ptrdiff_t;

float wide(float value) {
  return value;
}
float wide(Bf16 value) {
  return bfloat16_to_float(value);
}
void set(float value, float* out) {
  *out = value;
}
void set(float value, Bf16* out) {
  *out = float_to_bfloat16(value);
}

template <typename Raw>
float activated(const LazyOf<Raw>& lazy, Offset pixel, int channels, int c) {
  if (lazy.raw == nullptr) return 0;
  const float v = lazy.scale[c] * wide(lazy.raw[pixel * channels + c]) + lazy.offset[c];
  return v > 0 ? v : 0.01f * v;
}

template <typename Raw>
float value(const TermOf<Raw>& term, Offset pixel, int c) {
  return activated(term.first, pixel, term.channels, c) +
         activated(term.second, pixel, term.channels, c);
}

template <typename Raw, typename Out>
void activate(const TermOf<Raw>& term, Offset first_pixel, int pixels, Out* out, Offset out_step) {
  for (int x = 0; x < pixels; ++x)
    for (int c = 0; c < term.channels; ++c)
      set(value(term, first_pixel + x, c), &out[x * out_step + c]);
}

void note(const Moments& moments, int c, bool first, float x) {
  if (first) {
    moments.shift[c] = x;
    moments.sum[c] = moments.square[c] = 0;
  }
  const float d = x - moments.shift[c];
  moments.sum[c] += d;
  moments.square[c] += d * d;
}

// Column k of packed weights, row by row.
struct Column {
  const float* first;
  int step;
  float operator[](Offset row) const { return first[row * step]; }
};
Column column(const float* packed, Offset rows, int columns, int k) {
  const int block = k / kBlockRegisters * kBlockRegisters;
  const int width = columns - block < kBlockRegisters ? columns - block : kBlockRegisters;
  return {packed + block * rows + (k - block), width};
}

void direct(const DirectJob& job) {
  const Offset rows = Offset{job.n_taps} * job.channels;
  for (int k = 0; k < job.out_channels; ++k) {
    const Column weights = column(job.weights, rows, job.out_channels, k);
    for (int y = 0; y < job.rows; ++y)
      for (int x = 0; x < job.width; ++x) {
        const float* in = job.in + y * job.in_row_step + x * job.in_pixel_step;
        float sum = 0;
        for (int tap = 0; tap < job.n_taps; ++tap)
          for (int c = 0; c < job.channels; ++c)
            sum += in[job.taps[tap] + c] * weights[Offset{tap} * job.channels + c];
        job.out[y * job.out_row_step + x * job.out_pixel_step + k] = sum;
        note(job.moments, k, y == 0 && x == 0, sum);
      }
  }
}

void multiply(const MatrixJob& job) {
  for (int k = 0; k < job.out_channels; ++k) {
    const Column weights = column(job.weights, job.channels, job.out_channels, k);
    for (int row = 0; row < job.rows; ++row) {
      float sum = 0;
      for (int c = 0; c < job.channels; ++c) sum += job.in[row * job.in_step + c] * weights[c];
      job.out[row * job.out_step + k] = sum;
    }
  }
}

// The tilings' transforms along one axis: from the pixels that a tile sees to its numbers, and from
// products to outputs.
struct Matrices {
  int seen;
  float in[6][6], out[4][6];
};
constexpr Matrices kMatrices[kTilings] = {
    {4,
     {{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}},
     {{1, 1, 1, 0}, {0, 1, -1, -1}}},
    {6,
     {{4, 0, -5, 0, 1, 0},
      {0, -4, -4, 1, 1, 0},
      {0, 4, -4, -1, 1, 0},
      {0, -2, -1, 2, 1, 0},
      {0, 2, -1, -2, 1, 0},
      {0, 4, 0, -5, 0, 1}},
     {{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}}},
    {4,
     {{1, -1, 0, 0}, {0, 1, 0, 0}, {0, -1, 1, 0}, {0, 0, 1, 0}, {0, 0, -1, 1}},
     {{1, 1, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 0}, {0, 1, 1, 0, 0, 0}, {0, 0, 0, 0, 1, 1}}}};

template <Tiling kTiling>
void input(const InputTransform& job) {
  constexpr TilingShape kShape = kTilingShapes[kTiling];
  const Matrices& m = kMatrices[kTiling];
  for (int i = 0; i < job.rows.count; ++i)
    for (int tile = 0; tile < job.rows.tiles_across; ++tile)
      for (int c = 0; c < job.term.channels; ++c) {
        float seen[6][6];
        for (int r = 0; r < m.seen; ++r)
          for (int s = 0; s < m.seen; ++s) {
            const int y = (job.rows.first + i) * kShape.step - 1 + r;
            const int x = tile * kShape.step - 1 + s;
            const bool inside = y >= 0 && y < job.rows.height && x >= 0 && x < job.rows.width;
            seen[r][s] = inside ? value(job.term, Offset{y} * job.rows.width + x, c) : 0;
          }
        float* out = job.out + (Offset{i} * job.rows.tiles_across + tile) * job.tile_step + c;
        for (int a = 0; a < kShape.numbers; ++a)
          for (int b = 0; b < kShape.numbers; ++b) {
            float sum = 0;
            for (int r = 0; r < m.seen; ++r)
              for (int s = 0; s < m.seen; ++s) sum += m.in[a][r] * m.in[b][s] * seen[r][s];
            out[(a * kShape.numbers + b) * job.number_step] = sum;
          }
      }
}

template <Tiling kTiling>
void output(const OutputTransform& job) {
  constexpr TilingShape kShape = kTilingShapes[kTiling];
  const Matrices& m = kMatrices[kTiling];
  for (int i = 0; i < job.rows.count; ++i)
    for (int tile = 0; tile < job.rows.tiles_across; ++tile)
      for (int c = 0; c < job.channels; ++c) {
        const float* in = job.in + (Offset{i} * job.rows.tiles_across + tile) * job.tile_step + c;
        for (int a = 0; a < kShape.out; ++a)
          for (int b = 0; b < kShape.out; ++b) {
            const int y = (job.rows.first + i) * kShape.out + a, x = tile * kShape.out + b;
            if (y >= job.rows.height || x >= job.rows.width) continue;
            float sum = 0;
            for (int r = 0; r < kShape.products; ++r)
              for (int s = 0; s < kShape.products; ++s)
                sum += m.out[a][r] * m.out[b][s] * in[(r * kShape.products + s) * job.product_step];
            job.out[(Offset{y} * job.rows.width + x) * job.channels + c] = sum;
            note(job.moments, c, i == 0 && tile == 0 && a == 0 && b == 0, sum);
          }
      }
}

// InstanceNorm over all parts together.
void normalise(const NormaliseJob& job) {
  for (int c = 0; c < job.channels; ++c) {
    double pixels = 0, mean = 0, variance = 0;
    for (int part = 0; part < job.n_parts; ++part) {
      const Moments m = job.first.from(part * job.part_step + c);
      pixels += job.pixels[part];
      mean += job.pixels[part] * static_cast<double>(*m.shift) + static_cast<double>(*m.sum);
    }
    mean /= pixels;
    for (int part = 0; part < job.n_parts; ++part) {
      const Moments m = job.first.from(part * job.part_step + c);
      const double apart = static_cast<double>(*m.shift) - mean;  // of the shift from the mean
      variance += static_cast<double>(*m.square) + 2 * apart * static_cast<double>(*m.sum) +
                  job.pixels[part] * apart * apart;
    }
    variance = std::max(0.0, variance / pixels);
    const double scale = static_cast<double>(job.gamma[c]) / std::sqrt(variance + 1e-5);
    job.scale[c] = static_cast<float>(scale);
    job.offset[c] = static_cast<float>(static_cast<double>(job.beta[c]) - mean * scale);
  }
}

template <typename Raw>
void head(const HeadJobOf<Raw>& job) {
  for (int x = 0; x < job.pixels; ++x) {
    float sum = job.bias;
    for (int c = 0; c < job.term.channels; ++c)
      sum += job.weights[c] * value(job.term, job.first_pixel + x, c);
    job.out[x] = sum;
  }
}

bool sigmoid(const float* logits, int count, float* probabilities) {
  bool finite = true;
  for (int i = 0; i < count; ++i) {
    finite = finite && std::isfinite(logits[i]);
    probabilities[i] = 1 / (1 + std::exp(-logits[i]));
  }
  return finite;
}

void interleave(const float* planes, Offset plane_step, int pixels, Bf16* out) {
  for (int i = 0; i < pixels; ++i)
    for (int c = 0; c < 4; ++c)
      out[4 * i + c] = c < 3 ? float_to_bfloat16(planes[c * plane_step + i]) : Bf16{};
}

// Columns first_column .. first_column + kBf16Columns - 1 of one pixel. Weights lie in pairs of
// values: see packing.h.
void convolve_pixel(const Bf16Job& job, const Bf16* in, const Bf16* weights, float* sums) {
  for (int k = 0; k < kBf16Columns; ++k) sums[k] = 0;
  for (int step = 0; step < job.n_steps; ++step)
    for (int i = 0; i < kBf16Step; ++i) {
      const float factor = bfloat16_to_float(in[job.steps[step] + i]);
      const Bf16* pair = weights + (step * kBf16Step + i / 2 * 2) * kBf16Columns + i % 2;
      for (int k = 0; k < kBf16Columns; ++k) sums[k] += factor * bfloat16_to_float(pair[2 * k]);
    }
}

void convolve(const Bf16Job& job) {
  for (int column = 0; column < job.out_channels; column += kBf16Columns) {
    const Bf16* weights = job.weights + Offset{column} * job.n_steps * kBf16Step;
    for (int y = 0; y < job.rows; ++y)
      for (int x = 0; x < job.width; ++x) {
        float sums[kBf16Columns];
        convolve_pixel(job, job.in + y * job.in_row_step + x * job.in_pixel_step, weights, sums);
        Bf16* out = job.out + y * job.out_row_step + x * job.out_pixel_step + column;
        for (int k = 0; k < kBf16Columns; ++k) {
          out[k] = float_to_bfloat16(sums[k]);
          note(job.moments, column + k, y == 0 && x == 0, sums[k]);
        }
      }
  }
}

constexpr Bf16Kernels kBf16 = {activate<Bf16, Bf16>, interleave, convolve, head<Bf16>};

}  // namespace

// What is not bfloat16 about it is the generic table's.
const Kernels plain_bf16_kernels = kernel_table<4, 16>("plain-bf16", &kBf16);

const Kernels plain_kernels = {
    "plain",
    1,
    activate<float, float>,
    direct,
    multiply,
    {{input<kF2>, output<kF2>}, {input<kF4>, output<kF4>}, {input<kUp>, output<kUp>}},
    normalise,
    head<float>,
    sigmoid,
    nullptr};

}  // namespace unetseg::fused
