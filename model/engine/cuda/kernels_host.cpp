// SPDX-License-Identifier: MIT
// The kernels' blocks one after the other, each thread's step one after the other.
#include <memory>

#include "model/engine/cuda/launching.h"

namespace unetseg::cuda {
namespace {

struct EachThread {
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
        for (int x = 0; x < grid.x; ++x) Block(job, {x, y, z}, shared.get()).run(EachThread());
    return 0;
  }
};

}  // namespace

const Kernels& host_kernels() {
  static constexpr Kernels kTable = kernels_of<HostLauncher>();
  return kTable;
}

}  // namespace unetseg::cuda
