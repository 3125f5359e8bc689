// SPDX-License-Identifier: MIT
// What goes around the convolutions on a GPU: contract of the kernels, and the tables of them.
//
// Activations are NHWC in one of three number formats; arithmetic and statistics are float32. A
// node's output is stored raw, before InstanceNorm. `moments` sums it up, and whoever reads it
// applies lrelu(scale (x - mean) + offset), with these of each image and channel.
//
// Every sum has a fixed order, which does not depend on the batch: reruns give the same bits, and
// so does an image among others. All pointers are on the device; each allocation is aligned to 16
// bytes. Functions put their work into `stream` and return at once: 0, or the cudaError_t that
// says why not.
#pragma once

#include "model/engine/cuda/numbers.h"

namespace unetseg::cuda {

constexpr float kNormEpsilon = 1e-5f;
constexpr float kLeakySlope = 0.01f;

// Sums over a part of an image about a shift near the mean, which is the channel's value in the
// image's middle pixel: sum(x - shift) and sum((x - shift)^2). At
// [((image * parts + part) * kSums + k) * channels + channel].
constexpr int kSums = 2;

// How an image is cut for its sums. The same for every batch and device.
UNETSEG_ON_BOTH int parts_of(int pixels) {
  constexpr int kPixelsOfAPart = 256, kMostParts = 64;
  const int parts = (pixels + kPixelsOfAPart - 1) / kPixelsOfAPart;
  return parts < kMostParts ? parts : kMostParts;
}

// Planar float32 pictures, images x 3 x pixels, to pixels of `channels` numbers, zero from the
// fourth on.
struct PictureJob {
  NumberType type;
  const float* planar;
  void* out;
  int images, pixels, channels;
};

struct MomentsJob {
  NumberType type;
  const void* raw;
  float* sums;
  int images, pixels, channels;
};

// One node's raw output and what activates it.
struct Raw {
  const void* values = nullptr;  // null: nothing
  const float* sums = nullptr;
  const float *gamma = nullptr, *beta = nullptr;
};

// One activated output, or the sum of two of the same shape.
struct Term {
  Raw first, second;
  int images, height, width, channels;
  UNETSEG_ON_BOTH int pixels() const { return height * width; }
};

// Channels first_channel .. first_channel + term.channels - 1 of a tensor with `channels` of them,
// as large as the term or twice as high and wide (each pixel goes to four, nearest neighbour).
struct Destination {
  void* values = nullptr;  // null: nothing
  int channels = 0, first_channel = 0;
  bool enlarged = false;
};

constexpr int kMostDestinations = 2;

struct ActivateJob {
  NumberType type;
  Term term;
  Destination to[kMostDestinations];
};

// A head: the dot product of each activated pixel's channels with `weights`, plus `bias`, plus what
// the next coarser head gave for this pixel.
struct HeadJob {
  NumberType type;
  Term term;
  const float* weights;
  float bias;
  const float* coarser;  // images x height / 2 x width / 2; null: nothing
  float* out;            // images x height x width
  bool is_last;          // out is 1 / (1 + exp(-logit)), and NaN where a logit is not finite
};

struct Kernels {
  int (*picture)(const PictureJob& job, void* stream);
  int (*moments)(const MomentsJob& job, void* stream);
  int (*activate)(const ActivateJob& job, void* stream);
  int (*head)(const HeadJob& job, void* stream);
};

// The device's; null in a build without them.
const Kernels* device_kernels();
// The same blocks of threads in loops on the CPU, on memory of the CPU: what tests run.
const Kernels& host_kernels();

}  // namespace unetseg::cuda
