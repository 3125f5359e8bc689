// SPDX-License-Identifier: MIT
// From a job to the block that fits its numbers, for whatever launches blocks.
#pragma once

#include "model/network/training/blocks.h"
#include "model/network/training/head_blocks.h"

namespace unetseg::training {

inline bool fits(const NormJob& job, int wide) {
  return job.channels % wide == 0 && job.upper_stride % wide == 0;
}

inline bool fits(const HeadJob& job, int wide) {
  return job.channels % wide == 0;
}

template <typename Launcher, template <typename, int> class Block, typename T, typename Job>
int launch_typed(const Job& job, void* stream) {
  constexpr int kWide = 16 / static_cast<int>(sizeof(T));  // that are read at once
  return fits(job, kWide) ? Launcher::template launch<Block<T, kWide>>(job, stream)
                          : Launcher::template launch<Block<T, 1>>(job, stream);
}

template <typename Launcher, template <typename, int> class Block, typename Job>
int launch_any(const Job& job, void* stream) {
  return job.type == cuda::NumberType::bf16
             ? launch_typed<Launcher, Block, cuda::Bfloat16>(job, stream)
             : launch_typed<Launcher, Block, float>(job, stream);
}

template <typename Launcher>
constexpr Kernels kernels_of() {
  return {launch_any<Launcher, StatisticsBlock, NormJob>,
          launch_any<Launcher, ActivateBlock, NormJob>,
          launch_any<Launcher, SumGradientsBlock, NormJob>,
          launch_any<Launcher, ShareGradientsBlock, NormJob>,
          launch_any<Launcher, GradientOfInputBlock, NormJob>,
          launch_any<Launcher, HeadBlock, HeadJob>,
          launch_any<Launcher, GradientsOfHeadBlock, HeadJob>};
}

}  // namespace unetseg::training
