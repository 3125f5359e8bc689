// SPDX-License-Identifier: MIT
// What one block of threads does in each kernel, for the host and the device alike.
//
// A block is made of its job, its place in the grid that grid() gives for the job, and memory that
// its threads share. run() calls `each` with one step after the other; `each` has every thread take
// the step, and returns when all have: on the device by a barrier, on the host by a loop.
#pragma once

#include "model/engine/cuda/block_parts.h"

namespace unetseg::cuda {

template <typename T, int V>
struct MomentsBlock {
  using Job = MomentsJob;
  static constexpr int kNumbers = kSums * V;  // that a thread sums up
  struct Shared {
    float sums[kNumbers][kThreads];
  };

  static Grid grid(const Job& job) {
    return {parts_of(job.pixels), pieces(job.channels, kTileChannels), job.images};
  }
  UNETSEG_ON_BOTH MomentsBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job),
        part(place.x),
        tile(place.y, its_job.channels),
        image(place.z),
        shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { gather(thread); });
    int step = 1;
    while (step < tile.lanes) step *= 2;
    for (step /= 2; step > 0; step /= 2) each([this, step](int thread) { fold(thread, step); });
    each([this](int thread) { store_sums(thread); });
  }

  UNETSEG_ON_BOTH void gather(int thread) const {
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread), pixels = job.pixels, parts = parts_of(pixels);
    const std::size_t channels = static_cast<std::size_t>(job.channels);
    const std::size_t image_begin = static_cast<std::size_t>(image) * pixels;
    const auto shift = load_pack<V, T>(job.raw, middle_of(image, pixels) * channels + channel);
    const int size = pieces(pixels, parts), end = smaller(pixels, (part + 1) * size);
    float sums[kNumbers] = {};
    for (int pixel = part * size + tile.lane(thread); pixel < end; pixel += tile.lanes) {
      const auto raw = load_pack<V, T>(job.raw, (image_begin + pixel) * channels + channel);
      for (int i = 0; i < V; ++i) {
        const float apart = to_float(raw.values[i]) - to_float(shift.values[i]);
        sums[i] += apart;
        sums[V + i] += apart * apart;
      }
    }
    for (int i = 0; i < kNumbers; ++i) shared->sums[i][thread] = sums[i];
  }

  UNETSEG_ON_BOTH void fold(int thread, int step) const {
    const int lane = tile.lane(thread);
    if (lane >= step || lane + step >= tile.lanes) return;
    for (int i = 0; i < kNumbers; ++i)
      shared->sums[i][thread] += shared->sums[i][thread + step * tile.vectors];
  }

  UNETSEG_ON_BOTH void store_sums(int thread) const {
    if (tile.lane(thread) > 0) return;
    const std::size_t slot = static_cast<std::size_t>(image) * parts_of(job.pixels) + part;
    for (int k = 0; k < kSums; ++k)
      for (int i = 0; i < V; ++i)
        job.sums[(slot * kSums + k) * job.channels + tile.channel(thread) + i] =
            shared->sums[k * V + i][thread];
  }

  const Job& job;
  const int part;
  const Tile<V> tile;
  const int image;
  Shared* const shared;
};

template <typename T, int V>
struct ActivateBlock {
  using Job = ActivateJob;
  using Shared = typename Normaliser<T>::Shared;

  static Grid grid(const Job& job) {
    const int tiles = pieces(job.term.channels, kTileChannels);
    const int lanes = Tile<V>(0, job.term.channels).lanes;  // the last tile may have more
    return {pieces(job.term.pixels(), lanes * kPixelsOfAThread), tiles, job.term.images};
  }
  UNETSEG_ON_BOTH ActivateBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job), chunk(place.x), number(place.y), image(place.z), shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    Normaliser<T>{job.term, {number, job.term.channels}, image, shared}.run(each);
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    const Tile<V> tile(number, job.term.channels);
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread), pixels = job.term.pixels();
    for (int i = 0; i < kPixelsOfAThread; ++i) {
      const int pixel = (chunk * kPixelsOfAThread + i) * tile.lanes + tile.lane(thread);
      if (pixel >= pixels) return;
      const std::size_t at = static_cast<std::size_t>(image) * pixels + pixel;
      float values[V];
      activate_pack<T, V>(job.term, *shared, at * job.term.channels + channel, channel - tile.first,
                          values);
      Pack<T, V> pack;
      for (int k = 0; k < V; ++k) store(values[k], &pack.values[k]);
      for (const Destination& to : job.to)
        if (to.values != nullptr) put(to, pixel, channel, pack);
    }
  }

  UNETSEG_ON_BOTH void put(const Destination& to, int pixel, int channel,
                           const Pack<T, V>& pack) const {
    const int width = job.term.width, times = to.enlarged ? 2 : 1;
    const int y = pixel / width * times, x = pixel % width * times;
    const std::size_t image_begin =
        static_cast<std::size_t>(image) * times * times * job.term.pixels();
    for (int down = 0; down < times; ++down)
      for (int right = 0; right < times; ++right) {
        const std::size_t at =
            image_begin + static_cast<std::size_t>(y + down) * width * times + x + right;
        *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(to.values) + at * to.channels +
                                       to.first_channel + channel) = pack;
      }
  }

  const Job& job;
  const int chunk;
  const int number;  // of the tile
  const int image;
  Shared* const shared;
};

template <typename T, int V>
struct HeadBlock {
  using Job = HeadJob;
  struct Shared {
    typename Normaliser<T>::Shared norm;
    float logits[kThreads];
  };

  static Grid grid(const Job& job) {
    return {pieces(job.term.pixels(), kThreads), 1, job.term.images};
  }
  UNETSEG_ON_BOTH HeadBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job), chunk(place.x), image(place.z), shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { shared->logits[thread] = job.bias; });
    for (int number = 0; number < pieces(job.term.channels, kTileChannels); ++number) {
      Normaliser<T>{job.term, {number, job.term.channels}, image, &shared->norm}.run(each);
      each([this, number](int thread) { add(thread, number); });
    }
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH int pixel(int thread) const { return chunk * kThreads + thread; }

  UNETSEG_ON_BOTH void add(int thread, int number) const {
    if (pixel(thread) >= job.term.pixels()) return;
    const Tile<V> tile(number, job.term.channels);
    const std::size_t at =
        (static_cast<std::size_t>(image) * job.term.pixels() + pixel(thread)) * job.term.channels;
    float sum = 0;
    for (int channel = 0; channel < tile.channels; channel += V) {
      float values[V];
      activate_pack<T, V>(job.term, shared->norm, at + tile.first + channel, channel, values);
      for (int i = 0; i < V; ++i) sum += values[i] * job.weights[tile.first + channel + i];
    }
    shared->logits[thread] += sum;
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    if (pixel(thread) >= job.term.pixels()) return;
    const int width = job.term.width, y = pixel(thread) / width, x = pixel(thread) % width;
    const std::size_t image_begin = static_cast<std::size_t>(image) * job.term.pixels();
    float logit = shared->logits[thread];
    if (job.coarser != nullptr)
      logit += job.coarser[image_begin / 4 + static_cast<std::size_t>(y / 2) * (width / 2) + x / 2];
    // Infinity minus itself is NaN, anything else 0.
    job.out[image_begin + pixel(thread)] =
        job.is_last ? 1 / (1 + expf(-logit)) + (logit - logit) : logit;
  }

  const Job& job;
  const int chunk;
  const int image;
  Shared* const shared;
};

template <typename T, int>
struct PictureBlock {
  using Job = PictureJob;
  struct Shared {};

  static Grid grid(const Job& job) { return {pieces(job.pixels, kThreads), 1, job.images}; }
  UNETSEG_ON_BOTH PictureBlock(const Job& its_job, const Grid& place, Shared*)
      : job(its_job), chunk(place.x), image(place.z) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    const int pixel = chunk * kThreads + thread;
    if (pixel >= job.pixels) return;
    constexpr int kColours = 3;
    const std::size_t from = static_cast<std::size_t>(image) * kColours * job.pixels + pixel;
    T* out = static_cast<T*>(job.out) +
             (static_cast<std::size_t>(image) * job.pixels + pixel) * job.channels;
    for (int channel = 0; channel < job.channels; ++channel)
      store(channel < kColours ? job.planar[from + static_cast<std::size_t>(channel) * job.pixels]
                               : 0.0f,
            out + channel);
  }

  const Job& job;
  const int chunk;
  const int image;
};

}  // namespace unetseg::cuda
