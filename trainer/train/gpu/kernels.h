// SPDX-License-Identifier: MIT
// What a step on a GPU does to all parameters at once: contract of the kernels.
//
// All pointers are on the device; functions put their work into `stream` and return at once: 0, or
// the cudaError_t that says why not. Sums have a fixed order.
#pragma once

#include "model/engine/cuda/numbers.h"

namespace unetseg::trainer::gpu {

// Some of the flat buffer's numbers in another order and type.
struct MirrorJob {
  cuda::NumberType type;  // of the mirror: float32 or bf16
  int count;
  const int* order;  // count: each one's place in the flat buffer; -1: none, it is 0
  float* flat;
  void* mirror;
};

enum class Rule { adamw, adam, sgd };

// What the host gives to each step.
struct StepNumbers {
  double learning_rate;
  double average_weight;  // of the new values in their average
};

// What the device knows of the steps so far, and what it has decided for this one.
struct StepState {
  double steps;  // that were taken
  double loss, norm, taken;
  double gradient_scale, decay, rate, root_correction;
};

constexpr int kNormParts = 256;

struct OptimizerJob {
  Rule rule;
  int count;
  double beta1, beta2, epsilon, weight_decay, momentum, clip;
  const float* loss;
  const StepNumbers* numbers;
  StepState* state;
  double* parts;  // kNormParts
  float *values, *gradient, *first_moment, *second_moment, *average;
  const float* decay_mask;
};

struct Kernels {
  int (*to_mirror)(const MirrorJob& job, void* stream);
  int (*from_mirror)(const MirrorJob& job, void* stream);
  // One step, as Optimizer::step() behind clip_norm(), and the average of the weights; nothing
  // changes where loss or gradient are not finite.
  int (*sum_squares)(const OptimizerJob& job, void* stream);
  int (*decide)(const OptimizerJob& job, void* stream);
  int (*update)(const OptimizerJob& job, void* stream);
};

// The device's; null in a build without them.
const Kernels* device_kernels();
// The same blocks of threads in loops on the CPU, on memory of the CPU: what tests run.
const Kernels& host_kernels();

}  // namespace unetseg::trainer::gpu
