// SPDX-License-Identifier: MIT
// The blocks one after the other.
#include <memory>
#include <vector>

#include "model/engine/cuda/conv/launching.h"
#include "model/engine/cuda/conv/machine_host.h"

namespace unetseg::cuda {
namespace {

struct HostLauncher {
  template <typename Work>
  static void each_block(const BlockPlace& grid, Work work) {
    for (int z = 0; z < grid.z; ++z)
      for (int y = 0; y < grid.y; ++y)
        for (int x = 0; x < grid.x; ++x) work(BlockPlace{x, y, z});
  }

  template <typename T, int kMTiles, int kNTiles, int kKSplits>
  static int conv(const ConvJob& job, void*) {
    const HostMachine machine;
    // Aligned as numbers of any kind are; full of NaNs, which find what is read before it is
    // written.
    std::vector<long double> memory(static_cast<std::size_t>(job.plan.size) / sizeof(long double) +
                                    1);
    each_block(grid_of(job.plan), [&](const BlockPlace& place) {
      std::memset(memory.data(), 0xff, memory.size() * sizeof memory[0]);
      ConvBlock<T, kMTiles, kNTiles, kKSplits, HostMachine, HostMatrices>(
          job, place, reinterpret_cast<char*>(memory.data()), machine)
          .run();
    });
    return 0;
  }

  template <typename T>
  static int heads(const HeadsJob& job, void*) {
    using Block = HeadsBlock<T, HostMachine>;
    const HostMachine machine;
    const auto shared = std::make_unique<typename Block::Shared>();
    each_block(grid_of<T, HostMachine>(job),
               [&](const BlockPlace& place) { Block(job, place, shared.get(), machine).run(); });
    return 0;
  }
};

// As a small GPU's, so that tests meet blocks of several kinds.
bool limits_of_host(int, ConvLimits* limits) {
  *limits = {16, 99 << 10};
  return true;
}

}  // namespace

const ConvKernels& host_conv_kernels() {
  static constexpr ConvKernels kTable = {limits_of_host, launch_conv<HostLauncher>,
                                         launch_heads<HostLauncher>, nullptr};
  return kTable;
}

}  // namespace unetseg::cuda
