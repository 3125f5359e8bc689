// SPDX-License-Identifier: MIT
// The kernel that scales a frame to the network's input: its arguments, and what a block of threads
// does. The sums are the Sampler's, in another order.
//
// A block makes `outputs` neighbouring pixels of one row of the input. It goes through the source
// below them in chunks of a row: first each thread sums four neighbouring values down the rows, so
// that a warp reads 128 bytes side by side, row after row, and none twice; then the threads, some
// to an output, sum the chunk along the row. The frame is read once but for the rows and columns
// that two outputs share a fraction of, and nothing between is written to memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "model/frame/axis.h"
#include "model/frame/on_gpu.h"

namespace unetseg {

constexpr int kSamplingThreads = 128;
constexpr int kValuesPerThread = 4;
constexpr int kSamplingChunk = kValuesPerThread * kSamplingThreads;

// Pointers are the GPU's, but for the job itself.
struct SamplingJob {
  struct Plane {
    const std::uint8_t* first;
    std::ptrdiff_t stride;
    int values;        // of a row
    const Span* down;  // for each row of `height`
  };
  struct Component {
    int plane, offset, step;  // in values
    const Span* across;       // for each column of `width`
    float scale;              // of the weighted sum of rows and columns, to 8-bit codes
  };

  int planes, components, value_bytes;
  Plane plane[3];
  Component component[3];
  float factor[3][3], offset[3];  // from components to R, G, B
  float scale[3], shift[3];       // from those to what the network takes
  int x, y, width, height;        // what of the input shows the frame
  int input_width, input_height;
  int outputs;  // of a block, a power of two up to kSamplingThreads
  float* planar;

  int blocks_across() const { return (input_width + outputs - 1) / outputs; }
};

// What a block's threads share.
struct SamplingScratch {
  alignas(16) float column[kSamplingChunk];  // the chunk's values, summed down the rows
  float sum[3][kSamplingThreads];            // each thread's share of an output's components
};

namespace sampling {

// The outputs of a block that show the frame, as columns of its part.
struct Columns {
  int first, last;
};

UNETSEG_ON_GPU inline Columns columns_of(const SamplingJob& job, int block_x) {
  const int first = block_x * job.outputs, last = first + job.outputs;
  const int end = job.x + job.width;
  return {(first > job.x ? first : job.x) - job.x, (last < end ? last : end) - job.x};
}

// Values first .. last - 1 of a plane's row lie below these columns.
UNETSEG_ON_GPU inline Columns values_below(const SamplingJob& job, int plane, const Columns& out) {
  Columns values = {job.plane[plane].values, 0};
  for (int c = 0; c < job.components; ++c) {
    const SamplingJob::Component& component = job.component[c];
    if (component.plane != plane) continue;
    const Span& left = component.across[out.first];
    const Span& right = component.across[out.last - 1];
    const int first = left.first * component.step;
    const int last = (right.first + right.count - 1) * component.step + component.offset + 1;
    if (first < values.first) values.first = first;
    if (last > values.last) values.last = last;
  }
  return values;
}

// Four neighbouring values as numbers.
struct Four {
  std::uint32_t value[kValuesPerThread];
};

// From memory aligned to words, whose low byte comes first: CUDA's machines are such.
UNETSEG_ON_GPU inline Four bytes_of_word(const std::uint8_t* at) {
  std::uint32_t word;
  std::memcpy(&word, __builtin_assume_aligned(at, 4), sizeof word);
  return {{word & 0xff, word >> 8 & 0xff, word >> 16 & 0xff, word >> 24}};
}

// 10 bits are the high ones of two bytes, the low byte first.
UNETSEG_ON_GPU inline Four ten_bits_of_words(const std::uint8_t* at) {
  std::uint32_t words[2];
  std::memcpy(words, __builtin_assume_aligned(at, 4), sizeof words);
  return {{words[0] >> 6 & 0x3ff, words[0] >> 22, words[1] >> 6 & 0x3ff, words[1] >> 22}};
}

// From anywhere, and no more than `n`.
UNETSEG_ON_GPU inline Four some(const std::uint8_t* at, int value_bytes, int n) {
  Four four = {};
  for (int k = 0; k < kValuesPerThread && k < n; ++k)
    four.value[k] =
        value_bytes == 1 ? at[k] : static_cast<std::uint32_t>(at[2 * k] | at[2 * k + 1] << 8) >> 6;
  return four;
}

// The weighted sums of four values down the span's rows.
template <typename Load>
UNETSEG_ON_GPU inline void sum_down(const std::uint8_t* row, std::ptrdiff_t stride,
                                    const Span& span, Load load, float* out) {
  const Four first = load(row);
  Four sum = first, last = first;
  UNETSEG_UNROLL_ON_GPU
  for (int r = 1; r < span.count; ++r) {
    last = load(row + r * stride);
    for (int k = 0; k < kValuesPerThread; ++k) sum.value[k] += last.value[k];
  }
  // All rows whole; what is too much of the first and the last is taken away.
  const float head = span.head - 1, tail = span.count > 1 ? span.tail - 1 : 0;
  for (int k = 0; k < kValuesPerThread; ++k)
    out[k] = head * static_cast<float>(first.value[k]) + static_cast<float>(sum.value[k]) +
             tail * static_cast<float>(last.value[k]);
}

// The thread's four values of the chunk, down the rows below row `y` of the frame's part. `last`
// ends those that are needed.
UNETSEG_ON_GPU inline void sum_rows(const SamplingJob& job, int plane, int y, int chunk, int last,
                                    int thread, SamplingScratch& scratch) {
  const SamplingJob::Plane& from = job.plane[plane];
  const int mine = chunk + kValuesPerThread * thread, n = from.values - mine;
  if (mine >= last) return;
  const Span span = from.down[y];
  const int size = job.value_bytes;
  const std::uint8_t* row =
      from.first + span.first * from.stride + static_cast<std::ptrdiff_t>(mine) * size;
  const bool words = n >= kValuesPerThread && from.stride % 4 == 0 &&
                     reinterpret_cast<std::uintptr_t>(row) % 4 == 0;
  float* out = scratch.column + kValuesPerThread * thread;
  if (!words)
    sum_down(
        row, from.stride, span, [=](const std::uint8_t* at) { return some(at, size, n); }, out);
  else if (size == 1)
    sum_down(
        row, from.stride, span, [](const std::uint8_t* at) { return bytes_of_word(at); }, out);
  else
    sum_down(
        row, from.stride, span, [](const std::uint8_t* at) { return ten_bits_of_words(at); }, out);
}

// This thread's share of what the chunk gives to the output that it works for.
UNETSEG_ON_GPU inline void sum_columns(const SamplingJob& job, int plane, int column, int chunk,
                                       int thread, SamplingScratch& scratch) {
  const int lanes = kSamplingThreads / job.outputs;
  for (int c = 0; c < job.components; ++c) {
    const SamplingJob::Component& component = job.component[c];
    if (component.plane != plane) continue;
    const Span span = component.across[column];
    const int step = component.step;
    const int origin = span.first * step + component.offset - chunk;  // of the span, in the chunk
    const int skipped = origin < 0 ? (step - 1 - origin) / step : 0;
    float sum = scratch.sum[c][thread];
    for (int tap = skipped + thread % lanes; tap < span.count; tap += lanes) {
      const int at = origin + tap * step;
      if (at >= kSamplingChunk) break;
      const float weight = tap == 0 ? span.head : tap == span.count - 1 ? span.tail : 1;
      sum += weight * scratch.column[at];
    }
    scratch.sum[c][thread] = sum;
  }
}

UNETSEG_ON_GPU inline float clamped(float value) {
  return value < 0 ? 0.f : value > 255 ? 255.f : value;
}

// Of the sums that an output's threads have: the second half onto the first.
UNETSEG_ON_GPU inline void fold(const SamplingJob& job, int half, int thread,
                                SamplingScratch& scratch) {
  if (thread % (kSamplingThreads / job.outputs) >= half) return;
  for (int c = 0; c < job.components; ++c) scratch.sum[c][thread] += scratch.sum[c][thread + half];
}

UNETSEG_ON_GPU inline void write_output(const SamplingJob& job, bool shows, int x, int y,
                                        int output, const SamplingScratch& scratch) {
  const int lanes = kSamplingThreads / job.outputs;
  float in[3] = {};
  for (int c = 0; c < 3; ++c)
    if (c < job.components) in[c] = scratch.sum[c][output * lanes] * job.component[c].scale;
  if (job.components == 1) in[1] = in[2] = in[0];
  const std::ptrdiff_t area = static_cast<std::ptrdiff_t>(job.input_width) * job.input_height;
  float* out = job.planar + static_cast<std::ptrdiff_t>(y) * job.input_width + x;
  for (int i = 0; i < 3; ++i) {
    const float* factor = job.factor[i];
    const float colour =
        clamped(factor[0] * in[0] + factor[1] * in[1] + factor[2] * in[2] + job.offset[i]);
    out[i * area] = shows ? colour * job.scale[i] + job.shift[i] : job.shift[i];
  }
}

}  // namespace sampling

// Block (block_x, y) of a grid of blocks_across() x input_height. `block.each(step)` calls step(t)
// for each thread t below kSamplingThreads and returns when all are done.
template <typename Block>
UNETSEG_ON_GPU void sample_block(const SamplingJob& job, int block_x, int y, Block block,
                                 SamplingScratch& scratch) {
  const sampling::Columns out = sampling::columns_of(job, block_x);
  const int row = y - job.y;
  const bool any = out.first < out.last && row >= 0 && row < job.height;
  const int lanes = kSamplingThreads / job.outputs;
  const auto x_of = [&](int thread) { return block_x * job.outputs + thread / lanes; };
  const auto shows = [&](int x) { return any && x - job.x >= out.first && x - job.x < out.last; };

  block.each([&](int thread) {
    for (int c = 0; c < 3; ++c) scratch.sum[c][thread] = 0;
  });
  for (int plane = 0; any && plane < job.planes; ++plane) {
    const sampling::Columns values = sampling::values_below(job, plane, out);
    // Whole words from the row's beginning.
    for (int chunk = values.first & ~(kValuesPerThread - 1); chunk < values.last;
         chunk += kSamplingChunk) {
      block.each([&](int thread) {
        sampling::sum_rows(job, plane, row, chunk, values.last, thread, scratch);
      });
      block.each([&](int thread) {
        const int x = x_of(thread);
        if (shows(x)) sampling::sum_columns(job, plane, x - job.x, chunk, thread, scratch);
      });
    }
  }
  for (int half = lanes / 2; half > 0; half /= 2)  // always in the same order
    block.each([&](int thread) { sampling::fold(job, half, thread, scratch); });
  block.each([&](int thread) {
    const int x = block_x * job.outputs + thread;
    if (thread < job.outputs && x < job.input_width)
      sampling::write_output(job, shows(x), x, y, thread, scratch);
  });
}

}  // namespace unetseg
