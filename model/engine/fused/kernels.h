// SPDX-License-Identifier: MIT
// The inner loops of the fused engine: one table of them for each instruction set.
//
// Activations are NHWC, channels padded with zeros to a multiple of `lanes`. A node's output is
// stored raw, before InstanceNorm; whoever reads it applies max(v, 0.01 v), v = scale x +
// offset, with the node's scale and offset of each channel. So nothing is ever written normalised,
// and what is padded around a picture is zero after the activation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/frame/clones.h"

namespace unetseg::fused {

using Bf16 = std::uint16_t;  // bfloat16: the upper half of a float

// One node's raw output, in float32 or bfloat16, and what activates it.
template <typename Raw>
struct LazyOf {
  const Raw* raw = nullptr;  // null: nothing
  const float* scale = nullptr;
  const float* offset = nullptr;
};

// What a convolution reads along a range of its channels: one activated output, or the sum of two.
template <typename Raw>
struct TermOf {
  LazyOf<Raw> first, second;
  int channels;  // padded
};

using Lazy = LazyOf<float>;
using Term = TermOf<float>;

// Sums over outputs about a shift near their mean, for each channel: sum(x - shift) and
// sum((x - shift)^2). Written, not added to, by a kernel that gets them.
struct Moments {
  float *shift, *sum, *square;
  UNETSEG_INLINE Moments from(std::ptrdiff_t at) const {
    return {shift + at, sum + at, square + at};
  }
};

// From the moments of a picture's parts to what normalises each channel.
struct NormaliseJob {
  Moments first;             // of the first part
  std::ptrdiff_t part_step;  // floats to the next part's
  const int* pixels;         // of each part, none 0
  int n_parts;
  int channels;  // a multiple of `lanes`
  const float *gamma, *beta;
  float *scale, *offset;
};

// A convolution as a sum over taps, read from pixels that are activated and padded already.
struct DirectJob {
  const float* in;             // what output pixel (0, 0) sees at tap offset 0
  std::ptrdiff_t in_row_step;  // floats from what one output row sees to what the next one sees
  std::ptrdiff_t in_pixel_step;
  const std::ptrdiff_t* taps;  // offsets in floats
  int n_taps;
  int channels;          // of the input
  const float* weights;  // packed: see packing.h
  int out_channels;      // padded
  float* out;
  std::ptrdiff_t out_row_step, out_pixel_step;
  int rows, width;  // of the output
  Moments moments;
};

// Winograd's kind of convolution: a picture falls into tiles, each becomes numbers x numbers sums
// of its pixels, products x products matrices make as many sums of outputs, and these the outputs.
// Up is of a picture that is enlarged twofold first; two of its six products share a number.
enum Tiling { kF2, kF4, kUp, kTilings };
struct TilingShape {
  int step, numbers, products, out;  // along one axis; `step` and `out` in pixels
};
constexpr TilingShape kTilingShapes[kTilings] = {{2, 4, 4, 2}, {4, 6, 6, 4}, {2, 5, 6, 4}};

// Rows of tiles of a picture.
struct TileRows {
  int height, width;  // of the picture
  int first, count;   // tile rows
  int tiles_across;
};

struct InputTransform {
  Term term;
  TileRows rows;               // of the input
  float* out;                  // number x tile x channel
  std::ptrdiff_t number_step;  // floats
  std::ptrdiff_t tile_step;
};

struct OutputTransform {
  const float* in;  // product x tile x channel
  std::ptrdiff_t product_step, tile_step;
  TileRows rows;  // of the output
  int channels;
  float* out;  // the whole picture
  Moments moments;
};

struct TilingKernels {
  void (*input)(const InputTransform& job);
  void (*output)(const OutputTransform& job);
};

// out[row][k] = sum over c of in[row][c] weights[c][k].
struct MatrixJob {
  const float* in;
  std::ptrdiff_t in_step;
  int rows, channels;
  const float* weights;  // packed
  int out_channels;
  float* out;
  std::ptrdiff_t out_step;
};

// A head: the dot product of each activated pixel's channels with `weights`, plus `bias`. `term` is
// of one output.
template <typename Raw>
struct HeadJobOf {
  TermOf<Raw> term;
  const float* weights;
  float bias;
  std::ptrdiff_t first_pixel;
  int pixels;
  float* out;
};

using HeadJob = HeadJobOf<float>;

// ---- Networks in bfloat16: what is stored and multiplied has 8 bits' precision, sums and moments
// are float32.

// A product of bfloat16 takes so many values at once, and makes so many outputs.
constexpr int kBf16Step = 32, kBf16Columns = 16;

// A convolution as a sum over steps, each of kBf16Step values that lie behind each other; read from
// pixels that are activated and padded already. Where a step has values that belong to nothing,
// their weights are zero, and what is read must be finite.
struct Bf16Job {
  const Bf16* in;              // what output pixel (0, 0) sees at offset 0
  std::ptrdiff_t in_row_step;  // values from what one output row sees to what the next one sees
  std::ptrdiff_t in_pixel_step;
  const std::ptrdiff_t* steps;  // offsets in values
  int n_steps;
  const Bf16* weights;  // packed: see packing.h
  int out_channels;     // a multiple of kBf16Columns
  Bf16* out;
  std::ptrdiff_t out_row_step, out_pixel_step;
  int rows, width;  // of the output
  Moments moments;
};

// All round to the nearest.
struct Bf16Kernels {
  void (*activate)(const TermOf<Bf16>& term, std::ptrdiff_t first_pixel, int pixels, Bf16* out,
                   std::ptrdiff_t out_step);
  // out[4 i + c] = planes[c * plane_step + i] for c < 3, and 0 for c = 3.
  void (*interleave)(const float* planes, std::ptrdiff_t plane_step, int pixels, Bf16* out);
  void (*convolve)(const Bf16Job& job);
  void (*head)(const HeadJobOf<Bf16>& job);
};

struct Kernels {
  const char* name;  // "avx2"
  int lanes;         // floats in a register
  // Activates pixels first_pixel .. first_pixel + pixels - 1; `out_step` floats between them.
  void (*activate)(const Term& term, std::ptrdiff_t first_pixel, int pixels, float* out,
                   std::ptrdiff_t out_step);
  void (*direct)(const DirectJob& job);
  void (*multiply)(const MatrixJob& job);
  TilingKernels tilings[kTilings];
  void (*normalise)(const NormaliseJob& job);
  void (*head)(const HeadJob& job);
  // probabilities[i] = 1 / (1 + exp(-logits[i])); false where a logit is not finite.
  bool (*sigmoid)(const float* logits, int count, float* probabilities);
  const Bf16Kernels* bf16;  // null: networks are computed in float32
};

// Output channels that a packed block holds: two registers, or one for what is left.
constexpr int kBlockRegisters = 2;

// The fastest table in float32 that this processor runs.
const Kernels* best_kernels();
// The fastest in bfloat16; null where the processor has no such instructions.
const Kernels* best_bf16_kernels();
// By its name ("amx-bf16", "avx512-bf16", "plain-bf16", "avx512", "avx2", "generic", "plain"); null
// where it cannot run.
const Kernels* kernels_named(const char* name);

}  // namespace unetseg::fused
