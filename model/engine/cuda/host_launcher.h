// SPDX-License-Identifier: MIT
// Runs blocks of threads (blocks.h) one after the other, each thread's step one after the other.
#pragma once

#include <memory>

#include "model/engine/cuda/block_parts.h"

namespace unetseg::cuda {

struct EachHostThread {
  template <typename Step>
  void operator()(Step step) const {
    for (int thread = 0; thread < kThreads; ++thread) step(thread);
  }
};

struct HostLauncher {
  template <typename Block>
  static int launch(const typename Block::Job& job, void*) {
    const auto shared = std::make_unique<typename Block::Shared>();
    const Grid grid = Block::grid(job);
    for (int z = 0; z < grid.z; ++z)
      for (int y = 0; y < grid.y; ++y)
        for (int x = 0; x < grid.x; ++x) Block(job, {x, y, z}, shared.get()).run(EachHostThread());
    return 0;
  }
};

}  // namespace unetseg::cuda
