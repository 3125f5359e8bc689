// SPDX-License-Identifier: MIT
// What a training step on a GPU does around the convolutions: contract of the kernels.
//
// Activations are NHWC, float32 or bf16; arithmetic, sums and parameters are float32. Every sum has
// a fixed order, which does not depend on the batch. All pointers are on the device; functions put
// their work into `stream` and return at once: 0, or the cudaError_t that says why not.
#pragma once

#include "model/engine/cuda/kernels.h"

namespace unetseg::training {

// InstanceNorm, LeakyReLU, a factor for each image and channel, and something added:
// out = added + factor * lrelu(weight * (in - mean) * inverse + bias).
struct NormJob {
  cuda::NumberType type;
  int images, pixels, channels;
  float epsilon, slope;
  const void* in;
  const float *weight, *bias;
  const float* factors;  // images x channels; null: 1
  float* statistics;     // images x 2 x channels: mean, and inverse = 1 / sqrt(variance + epsilon)
  float* sums;           // images x parts_of(pixels) x 2 x channels
  // Forwards.
  const void* added;  // null: 0
  void* out;
  // Backwards. Pixels of `upper`, the gradient of `out`, are `upper_stride` numbers apart.
  const void* upper;
  int upper_stride;
  float* shares;  // images x 2 x channels: each image's gradient of bias and of weight
  void* in_gradient;
};

// 1x1 convolution to one channel: out = sum over channels of weight * in, plus bias.
struct HeadJob {
  cuda::NumberType type;
  int images, pixels, channels;
  const void* in;
  const float *weight, *bias;  // bias: one number
  float* out;                  // images x pixels
  // Backwards.
  const float* upper;  // images x pixels
  void* in_gradient;
  float* shares;  // images x parts_of(pixels) x channels: parts of the gradient of weight
};

struct Kernels {
  // Forwards, after cuda::Kernels::moments has written `sums`.
  int (*statistics)(const NormJob& job, void* stream);  // sums to statistics
  int (*activate)(const NormJob& job, void* stream);    // statistics to out
  // Backwards.
  int (*sum_gradients)(const NormJob& job, void* stream);      // statistics, upper to sums
  int (*share_gradients)(const NormJob& job, void* stream);    // sums to shares
  int (*gradient_of_input)(const NormJob& job, void* stream);  // shares, upper to in_gradient

  int (*head)(const HeadJob& job, void* stream);
  int (*gradients_of_head)(const HeadJob& job, void* stream);  // to in_gradient and shares
};

// The device's; null in a build without them.
const Kernels* device_kernels();
// The same blocks of threads in loops on the CPU, on memory of the CPU: what tests run.
const Kernels& host_kernels();

}  // namespace unetseg::training
