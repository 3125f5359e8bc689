// SPDX-License-Identifier: MIT
// The table of kernels for whatever launches blocks.
#pragma once

#include "trainer/train/gpu/blocks.h"

namespace unetseg::trainer::gpu {

template <typename Launcher, bool kTo>
int launch_mirror(const MirrorJob& job, void* stream) {
  return job.type == cuda::NumberType::bf16
             ? Launcher::template launch<MirrorBlock<cuda::Bfloat16, kTo>>(job, stream)
             : Launcher::template launch<MirrorBlock<float, kTo>>(job, stream);
}

template <typename Launcher>
constexpr Kernels kernels_of() {
  return {launch_mirror<Launcher, true>, launch_mirror<Launcher, false>,
          Launcher::template launch<SumSquaresBlock>, Launcher::template launch<DecideBlock>,
          Launcher::template launch<UpdateBlock>};
}

}  // namespace unetseg::trainer::gpu
