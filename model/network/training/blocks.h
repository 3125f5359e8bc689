// SPDX-License-Identifier: MIT
// What one block of threads does in each kernel, for the host and the device alike: see
// model/engine/cuda/blocks.h.
#pragma once

#include <cmath>

#include "model/engine/cuda/block_parts.h"
#include "model/network/training/kernels.h"

namespace unetseg::training {

using cuda::Grid;
using cuda::kSums;
using cuda::kThreads;
using cuda::kTileChannels;
using cuda::load_pack;
using cuda::Pack;
using cuda::parts_of;
using cuda::pieces;
using cuda::smaller;
using cuda::store;
using cuda::Tile;
using cuda::to_float;

constexpr int kPixelsOfAThread = 8;  // where a thread walks along no sum

// Along the pixels, the channels and the images.
template <typename Job, int V>
Grid grid_of_pixels(const Job& job) {
  const int lanes = Tile<V>(0, job.channels).lanes;  // the last tile may have more
  return {pieces(job.pixels, lanes * kPixelsOfAThread), pieces(job.channels, kTileChannels),
          job.images};
}

template <typename Job>
Grid grid_of_parts(const Job& job) {
  return {parts_of(job.pixels), pieces(job.channels, kTileChannels), job.images};
}

// Where numbers of an image and channel lie, of two for each.
UNETSEG_ON_BOTH std::size_t place_of(const NormJob& job, int image, int which, int channel) {
  return (static_cast<std::size_t>(image) * 2 + which) * job.channels + channel;
}

// All that there is to know about one channel of one image.
struct Channel {
  float mean, inverse, weight, bias, factor;
  UNETSEG_ON_BOTH float normal(float in) const { return (in - mean) * inverse; }
  UNETSEG_ON_BOTH float out(float in, float slope) const {
    const float value = normal(in) * weight + bias;
    return factor * (value > 0 ? value : slope * value);
  }
  // Of the value in front of the activation.
  UNETSEG_ON_BOTH float gradient(float normal, float upper, float slope) const {
    const float value = normal * weight + bias;
    return factor * (value > 0 ? upper : slope * upper);
  }
};

// A tile's channels in shared memory, so that threads side by side read numbers side by side.
template <int V, typename T>
struct OfTile {
  T values[V][kTileChannels / V];
  UNETSEG_ON_BOTH T& at(int channel) { return values[channel % V][channel / V]; }
};

template <int V>
UNETSEG_ON_BOTH void load_channel(const NormJob& job, const Tile<V>& tile, int image, int thread,
                                  OfTile<V, Channel>* to) {
  if (thread >= tile.channels) return;
  const int channel = tile.first + thread;
  to->at(thread) = {
      job.statistics[place_of(job, image, 0, channel)],
      job.statistics[place_of(job, image, 1, channel)], job.weight[channel], job.bias[channel],
      job.factors != nullptr ? job.factors[static_cast<std::size_t>(image) * job.channels + channel]
                             : 1.0f};
}

// Adds up what the parts of an image have left, for the channels of a tile.
struct PartSums {
  struct Shared {
    float sums[kSums][kThreads];
  };
  UNETSEG_ON_BOTH void gather(int thread) const {
    if (!tile.has(thread)) return;
    const int parts = parts_of(job.pixels);
    for (int k = 0; k < kSums; ++k) {
      float sum = 0;
      for (int part = tile.lane(thread); part < parts; part += tile.lanes) {
        const std::size_t slot = static_cast<std::size_t>(image) * parts + part;
        sum += job.sums[(slot * kSums + k) * job.channels + tile.channel(thread)];
      }
      shared->sums[k][thread] = sum;
    }
  }
  UNETSEG_ON_BOTH float total(int k, int thread) const {
    const int lanes = smaller(tile.lanes, parts_of(job.pixels));
    float sum = 0;
    for (int lane = 0; lane < lanes; ++lane) sum += shared->sums[k][lane * tile.channels + thread];
    return sum;
  }

  const NormJob& job;
  const Tile<1> tile;
  const int image;
  Shared* const shared;
};

// Folds what the lanes of a tile have summed up, `Numbers` for each vector, into those of lane 0.
template <int Numbers, int V>
struct LaneSums {
  struct Shared {
    float sums[Numbers][kThreads];
  };
  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    int step = 1;
    while (step < tile.lanes) step *= 2;
    for (step /= 2; step > 0; step /= 2) each([this, step](int thread) { fold(thread, step); });
  }
  UNETSEG_ON_BOTH void fold(int thread, int step) const {
    const int lane = tile.lane(thread);
    if (lane >= step || lane + step >= tile.lanes) return;
    for (int i = 0; i < Numbers; ++i)
      shared->sums[i][thread] += shared->sums[i][thread + step * tile.vectors];
  }

  const Tile<V> tile;
  Shared* const shared;
};

template <typename T, int>
struct StatisticsBlock {
  using Job = NormJob;
  using Shared = PartSums::Shared;

  static Grid grid(const Job& job) { return {1, pieces(job.channels, kTileChannels), job.images}; }
  UNETSEG_ON_BOTH StatisticsBlock(const Job& its_job, const Grid& place, Shared* shared)
      : parts{its_job, {place.y, its_job.channels}, place.z, shared} {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { parts.gather(thread); });
    each([this](int thread) { finish(thread); });
  }

  UNETSEG_ON_BOTH void finish(int thread) const {
    if (thread >= parts.tile.channels) return;
    const Job& job = parts.job;
    const int channel = parts.tile.first + thread, image = parts.image;
    const auto shift =
        load_pack<1, T>(job.in, cuda::middle_of(image, job.pixels) * job.channels + channel);
    const float n = static_cast<float>(job.pixels), apart = parts.total(0, thread) / n;
    const float variance = parts.total(1, thread) / n - apart * apart;
    job.statistics[place_of(job, image, 0, channel)] = to_float(shift.values[0]) + apart;
    // What rounding made negative is 0, but a NaN stays one.
    job.statistics[place_of(job, image, 1, channel)] =
        1 / sqrtf((variance < 0 ? 0 : variance) + job.epsilon);
  }

  const PartSums parts;
};

template <typename T, int V>
struct ActivateBlock {
  using Job = NormJob;
  using Shared = OfTile<V, Channel>;

  static Grid grid(const Job& job) { return grid_of_pixels<Job, V>(job); }
  UNETSEG_ON_BOTH ActivateBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job),
        chunk(place.x),
        tile(place.y, its_job.channels),
        image(place.z),
        shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { load_channel(job, tile, image, thread, shared); });
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread);
    Channel channels[V];
    for (int i = 0; i < V; ++i) channels[i] = shared->at(channel - tile.first + i);
    for (int k = 0; k < kPixelsOfAThread; ++k) {
      const int pixel = (chunk * kPixelsOfAThread + k) * tile.lanes + tile.lane(thread);
      if (pixel >= job.pixels) return;
      const std::size_t at =
          (static_cast<std::size_t>(image) * job.pixels + pixel) * job.channels + channel;
      const auto in = load_pack<V, T>(job.in, at);
      Pack<T, V> added{}, out;
      if (job.added != nullptr) added = load_pack<V, T>(job.added, at);
      for (int i = 0; i < V; ++i)
        store(to_float(added.values[i]) + channels[i].out(to_float(in.values[i]), job.slope),
              &out.values[i]);
      *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(job.out) + at) = out;
    }
  }

  const Job& job;
  const int chunk;
  const Tile<V> tile;
  const int image;
  Shared* const shared;
};

template <typename T, int V>
struct SumGradientsBlock {
  using Job = NormJob;
  using Sums = LaneSums<kSums * V, V>;
  struct Shared {
    OfTile<V, Channel> channels;
    typename Sums::Shared lanes;
  };

  static Grid grid(const Job& job) { return grid_of_parts(job); }
  UNETSEG_ON_BOTH SumGradientsBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job),
        part(place.x),
        tile(place.y, its_job.channels),
        image(place.z),
        shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { load_channel(job, tile, image, thread, &shared->channels); });
    each([this](int thread) { gather(thread); });
    Sums{tile, &shared->lanes}.run(each);
    each([this](int thread) { store_sums(thread); });
  }

  UNETSEG_ON_BOTH void gather(int thread) const {
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread);
    Channel channels[V];
    for (int i = 0; i < V; ++i) channels[i] = shared->channels.at(channel - tile.first + i);
    const std::size_t begin = static_cast<std::size_t>(image) * job.pixels;
    const int size = pieces(job.pixels, parts_of(job.pixels));
    const int end = smaller(job.pixels, (part + 1) * size);
    float sums[kSums * V] = {};
    for (int pixel = part * size + tile.lane(thread); pixel < end; pixel += tile.lanes) {
      const auto in = load_pack<V, T>(job.in, (begin + pixel) * job.channels + channel);
      const auto upper = load_pack<V, T>(job.upper, (begin + pixel) * job.upper_stride + channel);
      for (int i = 0; i < V; ++i) {
        const float normal = channels[i].normal(to_float(in.values[i]));
        const float gradient = channels[i].gradient(normal, to_float(upper.values[i]), job.slope);
        sums[i] += gradient;
        sums[V + i] += gradient * normal;
      }
    }
    for (int i = 0; i < kSums * V; ++i) shared->lanes.sums[i][thread] = sums[i];
  }

  UNETSEG_ON_BOTH void store_sums(int thread) const {
    if (tile.lane(thread) > 0) return;
    const std::size_t slot = static_cast<std::size_t>(image) * parts_of(job.pixels) + part;
    for (int k = 0; k < kSums; ++k)
      for (int i = 0; i < V; ++i)
        job.sums[(slot * kSums + k) * job.channels + tile.channel(thread) + i] =
            shared->lanes.sums[k * V + i][thread];
  }

  const Job& job;
  const int part;
  const Tile<V> tile;
  const int image;
  Shared* const shared;
};

template <typename, int>
struct ShareGradientsBlock {
  using Job = NormJob;
  using Shared = PartSums::Shared;

  static Grid grid(const Job& job) { return {1, pieces(job.channels, kTileChannels), job.images}; }
  UNETSEG_ON_BOTH ShareGradientsBlock(const Job& its_job, const Grid& place, Shared* shared)
      : parts{its_job, {place.y, its_job.channels}, place.z, shared} {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { parts.gather(thread); });
    each([this](int thread) { finish(thread); });
  }

  UNETSEG_ON_BOTH void finish(int thread) const {
    if (thread >= parts.tile.channels) return;
    for (int k = 0; k < kSums; ++k)
      parts.job.shares[place_of(parts.job, parts.image, k, parts.tile.first + thread)] =
          parts.total(k, thread);
  }

  const PartSums parts;
};

template <typename T, int V>
struct GradientOfInputBlock {
  using Job = NormJob;
  // The gradient in front of InstanceNorm is scale (gradient - mean - normal * product), with the
  // means over the image of the gradient behind it and of its product with what is normalised.
  struct Means {
    float gradient, product;
  };
  struct Shared {
    OfTile<V, Channel> channels;
    OfTile<V, Means> means;
  };

  static Grid grid(const Job& job) { return grid_of_pixels<Job, V>(job); }
  UNETSEG_ON_BOTH GradientOfInputBlock(const Job& its_job, const Grid& place, Shared* its_shared)
      : job(its_job),
        chunk(place.x),
        tile(place.y, its_job.channels),
        image(place.z),
        shared(its_shared) {}

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { load(thread); });
    each([this](int thread) { write(thread); });
  }

  UNETSEG_ON_BOTH void load(int thread) const {
    load_channel(job, tile, image, thread, &shared->channels);
    if (thread >= tile.channels) return;
    const float n = static_cast<float>(job.pixels);
    shared->means.at(thread) = {job.shares[place_of(job, image, 0, tile.first + thread)] / n,
                                job.shares[place_of(job, image, 1, tile.first + thread)] / n};
  }

  UNETSEG_ON_BOTH void write(int thread) const {
    if (!tile.has(thread)) return;
    const int channel = tile.channel(thread);
    Channel channels[V];
    Means means[V];
    for (int i = 0; i < V; ++i) {
      channels[i] = shared->channels.at(channel - tile.first + i);
      means[i] = shared->means.at(channel - tile.first + i);
    }
    for (int k = 0; k < kPixelsOfAThread; ++k) {
      const int pixel = (chunk * kPixelsOfAThread + k) * tile.lanes + tile.lane(thread);
      if (pixel >= job.pixels) return;
      const std::size_t at = static_cast<std::size_t>(image) * job.pixels + pixel;
      const auto in = load_pack<V, T>(job.in, at * job.channels + channel);
      const auto upper = load_pack<V, T>(job.upper, at * job.upper_stride + channel);
      Pack<T, V> out;
      for (int i = 0; i < V; ++i) {
        const Channel& c = channels[i];
        const float normal = c.normal(to_float(in.values[i]));
        const float gradient = c.gradient(normal, to_float(upper.values[i]), job.slope);
        store(c.weight * c.inverse * (gradient - means[i].gradient - normal * means[i].product),
              &out.values[i]);
      }
      *reinterpret_cast<Pack<T, V>*>(static_cast<T*>(job.in_gradient) + at * job.channels +
                                     channel) = out;
    }
  }

  const Job& job;
  const int chunk;
  const Tile<V> tile;
  const int image;
  Shared* const shared;
};

}  // namespace unetseg::training
