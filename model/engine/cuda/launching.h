// SPDX-License-Identifier: MIT
// From a job to the block that fits its numbers, for whatever launches blocks.
#pragma once

#include "model/engine/cuda/blocks.h"

namespace unetseg::cuda {

// Numbers that are read at once where channels allow it.
template <typename T>
constexpr int kWide = 16 / static_cast<int>(sizeof(T));

inline bool fits(int channels, int wide) {
  return channels % wide == 0;
}

inline bool fits(const MomentsJob& job, int wide) {
  return fits(job.channels, wide);
}

inline bool fits(const ActivateJob& job, int wide) {
  for (const Destination& to : job.to)
    if (!fits(to.channels, wide) || !fits(to.first_channel, wide)) return false;
  return fits(job.term.channels, wide);
}

inline bool fits(const HeadJob& job, int wide) {
  return fits(job.term.channels, wide);
}

inline bool fits(const PictureJob&, int) {
  return true;
}

template <typename Launcher, template <typename, int> class Block, typename T, typename Job>
int launch_typed(const Job& job, void* stream) {
  return fits(job, kWide<T>) ? Launcher::template launch<Block<T, kWide<T>>>(job, stream)
                             : Launcher::template launch<Block<T, 1>>(job, stream);
}

template <typename Launcher, template <typename, int> class Block, typename Job>
int launch_any(const Job& job, void* stream) {
  switch (job.type) {
    case NumberType::fp16:
      return launch_typed<Launcher, Block, Half>(job, stream);
    case NumberType::bf16:
      return launch_typed<Launcher, Block, Bfloat16>(job, stream);
    default:
      return launch_typed<Launcher, Block, float>(job, stream);
  }
}

template <typename Launcher>
constexpr Kernels kernels_of() {
  return {launch_any<Launcher, PictureBlock, PictureJob>,
          launch_any<Launcher, MomentsBlock, MomentsJob>,
          launch_any<Launcher, ActivateBlock, ActivateJob>,
          launch_any<Launcher, HeadBlock, HeadJob>};
}

}  // namespace unetseg::cuda
