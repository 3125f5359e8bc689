// SPDX-License-Identifier: MIT
// From a job to the block that is compiled for its shape and number format.
#pragma once

#include "model/engine/cuda/conv/heads_block.h"
#include "model/engine/cuda/conv/plans.h"

namespace unetseg::cuda {

constexpr int kNoSuchShape = 1;  // cudaErrorInvalidValue

template <typename Launcher, typename T>
int launch_conv_typed(const ConvJob& job, void* stream) {
  const ConvShape& shape = job.plan.shape;
#define UNETSEG_LAUNCH(m, n, k)                                        \
  if (shape.m_tiles == m && shape.n_tiles == n && shape.k_splits == k) \
    return Launcher::template conv<T, m, n, k>(job, stream);
  UNETSEG_CONV_SHAPES(UNETSEG_LAUNCH)
#undef UNETSEG_LAUNCH
  return kNoSuchShape;
}

template <typename Launcher>
int launch_conv(const ConvJob& job, void* stream) {
  return job.plan.form.type == NumberType::bf16 ? launch_conv_typed<Launcher, Bfloat16>(job, stream)
                                                : launch_conv_typed<Launcher, Half>(job, stream);
}

template <typename Launcher>
int launch_heads(const HeadsJob& job, void* stream) {
  return job.type == NumberType::bf16 ? Launcher::template heads<Bfloat16>(job, stream)
                                      : Launcher::template heads<Half>(job, stream);
}

}  // namespace unetseg::cuda
