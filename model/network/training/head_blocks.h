// SPDX-License-Identifier: MIT
// Blocks of the 1x1 convolution to one channel.
#pragma once

#include "model/network/training/blocks.h"

namespace unetseg::training {

template <typename T, int V>
struct HeadBlock {
  using Job = HeadJob;
  struct Shared {};

  static Grid grid(const Job& job) { return {pieces(job.pixels, kThreads), 1, job.images}; }
  UNETSEG_ON_BOTH HeadBlock(const Job& its_job, const Grid& place, Shared*)
      : job(its_job), chunk(place.x), image(place.z) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    const int pixel = chunk * kThreads + thread;
    if (pixel >= job.pixels) return;
    const std::size_t at = static_cast<std::size_t>(image) * job.pixels + pixel;
    float sum = *job.bias;
    for (int channel = 0; channel < job.channels; channel += V) {
      const auto in = load_pack<V, T>(job.in, at * job.channels + channel);
      for (int i = 0; i < V; ++i) sum += to_float(in.values[i]) * job.weight[channel + i];
    }
    job.out[at] = sum;
  }

  const Job& job;
  const int chunk;
  const int image;
};

template <typename T, int V>
struct GradientsOfHeadBlock {
  using Job = HeadJob;
  using Sums = LaneSums<V, V>;
  using Shared = typename Sums::Shared;

  static Grid grid(const Job& job) { return grid_of_parts(job); }
  UNETSEG_ON_BOTH GradientsOfHeadBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job),
        part(place.x),
        tile(place.y, its_job.channels),
        image(place.z),
        shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { gather(thread); });
    Sums{tile, shared}.run(each);
    each([this](int thread) { store_sums(thread); });
  }

  UNETSEG_ON_BOTH void gather(int thread) const {
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread);
    const std::size_t begin = static_cast<std::size_t>(image) * job.pixels;
    const int size = pieces(job.pixels, parts_of(job.pixels));
    const int end = smaller(job.pixels, (part + 1) * size);
    float weight[V], sums[V] = {};
    for (int i = 0; i < V; ++i) weight[i] = job.weight[channel + i];
    for (int pixel = part * size + tile.lane(thread); pixel < end; pixel += tile.lanes) {
      const std::size_t at = (begin + pixel) * job.channels + channel;
      const float upper = job.upper[begin + pixel];
      const auto in = load_pack<V, T>(job.in, at);
      Pack<T, V> out;
      for (int i = 0; i < V; ++i) {
        sums[i] += upper * to_float(in.values[i]);
        store(upper * weight[i], &out.values[i]);
      }
      *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(job.in_gradient) + at) = out;
    }
    for (int i = 0; i < V; ++i) shared->sums[i][thread] = sums[i];
  }

  UNETSEG_ON_BOTH void store_sums(int thread) const {
    if (tile.lane(thread) > 0) return;
    const std::size_t slot = static_cast<std::size_t>(image) * parts_of(job.pixels) + part;
    for (int i = 0; i < V; ++i)
      job.shares[slot * job.channels + tile.channel(thread) + i] = shared->sums[i][thread];
  }

  const Job& job;
  const int part;
  const Tile<V> tile;
  const int image;
  Shared* const shared;
};

}  // namespace unetseg::training
