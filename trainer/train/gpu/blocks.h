// SPDX-License-Identifier: MIT
// What one block of threads does in each kernel, for the host and the device alike: see
// model/engine/cuda/blocks.h.
#pragma once

#include <cmath>

#include "model/engine/cuda/block_parts.h"
#include "trainer/train/gpu/kernels.h"

namespace unetseg::trainer::gpu {

using cuda::Grid;
using cuda::kThreads;
using cuda::pieces;

constexpr int kNumbersOfAThread = 4;

template <typename Job>
Grid grid_of_numbers(const Job& job) {
  return {pieces(job.count, kThreads * kNumbersOfAThread), 1, 1};
}

// Calls work(i) for each number of a thread, side by side with those of its neighbours.
template <typename Work>
UNETSEG_ON_BOTH void for_numbers(int block, int thread, int count, const Work& work) {
  for (int k = 0; k < kNumbersOfAThread; ++k) {
    const int i = (block * kNumbersOfAThread + k) * kThreads + thread;
    if (i < count) work(i);
  }
}

template <typename T, bool kTo>
struct MirrorBlock {
  using Job = MirrorJob;
  struct Shared {};

  static Grid grid(const Job& job) { return grid_of_numbers(job); }
  UNETSEG_ON_BOTH MirrorBlock(const Job& its_job, const Grid& place, Shared*)
      : job(its_job), block(place.x) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { for_numbers(block, thread, job.count, [this](int i) { copy(i); }); });
  }

  UNETSEG_ON_BOTH void copy(int i) const {
    const int place = job.order[i];
    T* mirrored = static_cast<T*>(job.mirror) + i;
    if (kTo)
      cuda::store(place < 0 ? 0.0f : job.flat[place], mirrored);
    else if (place >= 0)
      job.flat[place] = cuda::to_float(*mirrored);
  }

  const Job& job;
  const int block;
};

// Adds up what all threads of a block have.
struct BlockSum {
  struct Shared {
    double sums[kThreads];
  };
  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    for (int step = kThreads / 2; step > 0; step /= 2)
      each([this, step](int thread) {
        if (thread < step) shared->sums[thread] += shared->sums[thread + step];
      });
  }

  Shared* const shared;
};

struct SumSquaresBlock {
  using Job = OptimizerJob;
  using Shared = BlockSum::Shared;

  static Grid grid(const Job&) { return {kNormParts, 1, 1}; }
  UNETSEG_ON_BOTH SumSquaresBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job), part(place.x), shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { gather(thread); });
    BlockSum{shared}.run(each);
    each([this](int thread) {
      if (thread == 0) job.parts[part] = shared->sums[0];
    });
  }

  UNETSEG_ON_BOTH void gather(int thread) const {
    float sum = 0;
    for (int i = part * kThreads + thread; i < job.count; i += kNormParts * kThreads)
      sum += job.gradient[i] * job.gradient[i];
    shared->sums[thread] = static_cast<double>(sum);
  }

  const Job& job;
  const int part;
  Shared* const shared;
};

struct DecideBlock {
  using Job = OptimizerJob;
  using Shared = BlockSum::Shared;
  static_assert(kNormParts == kThreads, "a thread takes a part");

  static Grid grid(const Job&) { return {1, 1, 1}; }
  UNETSEG_ON_BOTH DecideBlock(const Job& its_job, const Grid&, Shared* its_shared)
      : job(its_job), shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { shared->sums[thread] = job.parts[thread]; });
    BlockSum{shared}.run(each);
    each([this](int thread) {
      if (thread == 0) decide();
    });
  }

  UNETSEG_ON_BOTH void decide() const {
    StepState& state = *job.state;
    const double rate = job.numbers->learning_rate;
    state.loss = static_cast<double>(*job.loss);
    state.norm = sqrt(shared->sums[0]);
    // Infinity and NaN are no number less than another.
    const double most = 1e300;
    state.taken = state.norm < most && state.loss < most && state.loss > -most ? 1 : 0;
    state.gradient_scale =
        job.clip > 0 && state.norm > job.clip ? job.clip / (state.norm + 1e-6) : 1;
    state.steps += state.taken;
    state.decay = job.weight_decay * (job.rule == Rule::adamw ? rate : 1);
    state.rate = job.rule == Rule::sgd ? rate : rate / (1 - pow(job.beta1, state.steps));
    state.root_correction = sqrt(1 - pow(job.beta2, state.steps));
  }

  const Job& job;
  Shared* const shared;
};

struct UpdateBlock {
  using Job = OptimizerJob;
  struct Shared {};

  static Grid grid(const Job& job) { return grid_of_numbers(job); }
  UNETSEG_ON_BOTH UpdateBlock(const Job& its_job, const Grid& place, Shared*)
      : job(its_job), block(place.x) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { update(thread); });
  }

  UNETSEG_ON_BOTH void update(int thread) const {
    const StepState& state = *job.state;
    if (!(state.taken > 0)) return;
    const float scale = static_cast<float>(state.gradient_scale);
    const float decay = static_cast<float>(state.decay), rate = static_cast<float>(state.rate);
    const float root = static_cast<float>(state.root_correction);
    const float share = static_cast<float>(job.numbers->average_weight);
    const float fresh1 = static_cast<float>(1 - job.beta1), beta2 = static_cast<float>(job.beta2);
    const float fresh2 = static_cast<float>(1 - job.beta2);
    const float momentum = static_cast<float>(job.momentum);
    const float epsilon = static_cast<float>(job.epsilon);
    for_numbers(block, thread, job.count, [&](int i) {
      float value = job.values[i], gradient = scale * job.gradient[i];
      const float decayed = decay * job.decay_mask[i] * value;
      if (job.rule == Rule::adamw)
        value -= decayed;
      else
        gradient += decayed;
      if (job.rule == Rule::sgd) {
        const float moved = momentum * job.first_moment[i] + gradient;
        job.first_moment[i] = moved;
        value -= rate * (gradient + momentum * moved);
      } else {
        const float first = job.first_moment[i] + fresh1 * (gradient - job.first_moment[i]);
        const float second = beta2 * job.second_moment[i] + fresh2 * gradient * gradient;
        job.first_moment[i] = first;
        job.second_moment[i] = second;
        value -= rate * first / (sqrtf(second) / root + epsilon);
      }
      job.values[i] = value;
      const float average = job.average[i];
      job.average[i] = share < 1 ? average + share * (value - average) : value;
    });
  }

  const Job& job;
  const int block;
};

}  // namespace unetseg::trainer::gpu
