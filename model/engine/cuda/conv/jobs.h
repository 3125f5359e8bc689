// SPDX-License-Identifier: MIT
// Convolutions on tensor cores: contract of the kernels, and the tables of them.
//
// Maps are NHWC in fp16 or bf16, of a multiple of 8 channels. A node's output is stored raw, before
// InstanceNorm; whoever reads it applies lrelu(scale x + shift), with these of each image and
// channel. So nothing is normalised, added, enlarged or concatenated by itself. Products are summed
// in float32, and so are statistics, from the sums before they are rounded.
//
// Reruns give the same bits: blocks add their statistics up as whole numbers, in any order, and all
// other sums have a fixed order. All pointers are on the device; each allocation is aligned to 16
// bytes. Functions put their work into `stream` and return at once: 0, or the cudaError_t that says
// why not.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/engine/cuda/conv/geometry.h"
#include "model/engine/cuda/numbers.h"

namespace unetseg::cuda {

constexpr int kMostInputs = 2, kMostMaps = 2 * kMostInputs;
constexpr int kPictureChannels = 3;

// Sums of a channel in whole numbers: of values in units of unit / 2^kSumBits, and of their squares
// in units of unit^2 / 2^kSquareBits.
struct alignas(16) ChannelSums {
  std::int64_t values, squares;
};
constexpr int kSumBits = 30, kSquareBits = 17;

// Statistics of a map, which starts with zeros: a ChannelSums of each image and channel, and of
// each image whether anything was not finite, or too large.
struct MapSums {
  ChannelSums* sums;
  unsigned* not_finite;
};

// One node's raw output and what normalises it.
struct NodeMap {
  const void* values = nullptr;  // images x height x width x channels; null: nothing
  MapSums sums = {};
  const float *gamma = nullptr, *beta = nullptr;
  int channels = 0;
  // From sums to the mean and to the mean square.
  double mean_of_sum = 0, mean_of_squares = 0;
};

// A convolution without where things are.
struct ConvForm {
  NumberType type;
  ConvKind kind;
  int images;
  int in_height, in_width;
  int out_channels;
  bool reads_picture;            // else `inputs`, side by side
  int in_channels[kMostInputs];  // 0: there is none
  bool is_sum[kMostInputs];
};

// One of the products' steps, of kMatrixDepth input channels at a tap: where its input begins, in
// bytes from that of the first tap, and its block of weights, in numbers.
struct alignas(8) ConvStep {
  int input, weights;
};

// How it is done: all that a block would have to compute from the form and the shape. Made by
// plan_conv().
struct ConvPlan {
  ConvForm form;
  ConvShape shape;
  int out_height, out_width;  // of a phase
  int across, down;           // tiles of a phase
  int groups;                 // of channels
  Divider by_across;
  bool is_even;  // tiles do not stick out

  // The input of a tile, a window of so many pixels.
  int stride, kernel, margin;
  int window_width, window_pixels;
  Divider by_window_width;

  int padded;        // input channels, those of each input rounded up to kMatrixDepth
  int padded_first;  // of the first input
  int n_maps, first_maps,
      first_channels;             // maps of all inputs; of the first, and all their channels
  int chunk;                      // of these, in shared memory at a time
  Divider by_vectors, by_blocks;  // of a chunk
  int pixels_at_once;             // that all threads read, a vector each
  int last_chunk;                 // size of the last one
  Divider by_last_vectors, by_last_blocks;
  int last_pixels_at_once;

  int pitch;  // bytes from a pixel in shared memory to the next
  bool stages_weights;
  // Of packed weights: columns of matrices of a phase, and blocks of one column.
  int packed_columns, depth_blocks;
  // Bytes from the beginning of shared memory; norms are first.
  int steps, weights, input, second, scratch, size;
};

struct ConvJob {
  ConvPlan plan;
  const float* picture;  // images x 3 x in_height x in_width
  // Those of the first input and then those of the second: one, or two to be added up.
  NodeMap maps[kMostMaps];
  const void* weights;  // as packed by pack_weights()
  void* raw;
  MapSums sums;
  float per_unit;      // 1 / the unit of sums, a power of two
  float most_squares;  // a tile's sum of squares, in units, beyond which it counts as not finite
};

// The three heads and what comes after them: 1x1 convolutions to one channel, added up from the
// coarsest on, nearest neighbour.
struct HeadsJob {
  NumberType type;
  int images, height, width;  // of the picture; multiples of 16
  NodeMap maps[3];            // of levels 0, 1 and 2
  const float* weights[3];
  float bias;  // of all three
  float* out;  // images x height x width: 1 / (1 + exp(-logit)), NaN where a logit is not finite
};

struct ConvKernels {
  // What a device has, by its number, or the current one if that is negative; false where it is too
  // old for these kernels.
  bool (*limits)(int device, ConvLimits* limits);
  int (*conv)(const ConvJob& job, void* stream);
  int (*heads)(const HeadsJob& job, void* stream);
  // Microseconds that a launch takes, next to others of its kind; negative where it fails. Null:
  // nobody can tell.
  double (*time)(const ConvJob& job, void* stream);
};

// The device's; null in a build without them.
const ConvKernels* device_conv_kernels();
// The same blocks of threads one after the other on the CPU, on memory of the CPU: what tests run.
const ConvKernels& host_conv_kernels();

}  // namespace unetseg::cuda
