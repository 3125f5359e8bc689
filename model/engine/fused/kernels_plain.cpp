// SPDX-License-Identifier: MIT
// The kernels as plain loops: what each of them means, and what the fast ones are checked against.
#include <cmath>

#include "model/engine/fused/variants.h"

namespace unetseg::fused {
namespace {

using Offset = std::ptrdiff_t;

float activated(const Lazy& lazy, Offset pixel, int channels, int c) {
  if (lazy.raw == nullptr) return 0;
  const float v = lazy.scale[c] * lazy.raw[pixel * channels + c] + lazy.offset[c];
  return v > 0 ? v : 0.01f * v;
}

float value(const Term& term, Offset pixel, int c) {
  return activated(term.first, pixel, term.channels, c) +
         activated(term.second, pixel, term.channels, c);
}

void activate(const Term& term, Offset first_pixel, int pixels, float* out, Offset out_step) {
  for (int x = 0; x < pixels; ++x)
    for (int c = 0; c < term.channels; ++c) out[x * out_step + c] = value(term, first_pixel + x, c);
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

void head(const HeadJob& job) {
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

}  // namespace

const Kernels plain_kernels = {
    "plain",  1,
    activate, direct,
    multiply, {{input<kF2>, output<kF2>}, {input<kF4>, output<kF4>}, {input<kUp>, output<kUp>}},
    head,     sigmoid};

}  // namespace unetseg::fused
