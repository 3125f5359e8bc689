// SPDX-License-Identifier: MIT
// What the blocks of several kernels are made of: their channels, and InstanceNorm's last step.
#pragma once

#include <cmath>

#include "model/engine/cuda/kernels.h"

namespace unetseg::cuda {

constexpr int kThreads = 256;
constexpr int kTileChannels = 64;    // of a block, at most
constexpr int kPixelsOfAThread = 2;  // in `activate`

// How many blocks there are along each axis, or which of them one is.
struct Grid {
  int x, y, z;
};

UNETSEG_ON_BOTH int pieces(int size, int piece) {
  return (size + piece - 1) / piece;
}

UNETSEG_ON_BOTH int smaller(int a, int b) {
  return a < b ? a : b;
}

// A range of channels: threads are pixels ("lanes") x vectors of V channels.
template <int V>
struct Tile {
  UNETSEG_ON_BOTH Tile(int number, int all_channels)
      : first(number * kTileChannels),
        channels(smaller(kTileChannels, all_channels - first)),
        vectors(channels / V),
        lanes(kThreads / vectors) {}
  UNETSEG_ON_BOTH int lane(int thread) const { return thread / vectors; }
  UNETSEG_ON_BOTH bool has(int thread) const { return lane(thread) < lanes; }
  UNETSEG_ON_BOTH int channel(int thread) const { return first + thread % vectors * V; }

  int first, channels, vectors, lanes;
};

template <int V, typename T>
UNETSEG_ON_BOTH Pack<T, V> load_pack(const void* values, std::size_t index) {
  return *reinterpret_cast<const Pack<T, V>*>(static_cast<const T*>(values) + index);
}

// What normalises one channel of one image. The mean is taken off first: in scale x + offset a mean
// of many standard deviations would cost digits.
struct Norm {
  float mean, scale, offset;
};

UNETSEG_ON_BOTH Norm norm_of(float sum, float square, float shift, int count, float gamma,
                             float beta) {
  const float n = static_cast<float>(count);
  const float apart = sum / n;
  const float variance = square / n - apart * apart;
  // What rounding made negative is 0, but a NaN stays one.
  const float scale = gamma / sqrtf((variance < 0 ? 0 : variance) + kNormEpsilon);
  return {shift + apart, scale, beta};
}

UNETSEG_ON_BOTH float activated(float raw, const Norm& norm) {
  const float value = norm.scale * (raw - norm.mean) + norm.offset;
  return value > 0 ? value : kLeakySlope * value;
}

UNETSEG_ON_BOTH std::size_t middle_of(int image, int pixels) {
  return static_cast<std::size_t>(image) * pixels + pixels / 2;
}

// Finishes the statistics of a tile of channels, of both outputs of a term.
template <typename T>
struct Normaliser {
  struct Shared {
    float sums[2][kSums][kThreads];
    Norm norms[2][kTileChannels];
  };

  template <typename Each>
  UNETSEG_ON_BOTH void run(Each each) const {
    each([this](int thread) { gather(thread); });
    each([this](int thread) { finish(thread); });
  }

  UNETSEG_ON_BOTH const Raw& raw(int which) const { return which == 0 ? term.first : term.second; }

  UNETSEG_ON_BOTH void gather(int thread) const {
    if (!tile.has(thread)) return;
    const int parts = parts_of(term.pixels());
    for (int which = 0; which < 2; ++which) {
      if (raw(which).values == nullptr) continue;
      for (int k = 0; k < kSums; ++k) {
        float sum = 0;
        for (int part = tile.lane(thread); part < parts; part += tile.lanes) {
          const std::size_t slot = static_cast<std::size_t>(image) * parts + part;
          sum += raw(which).sums[(slot * kSums + k) * term.channels + tile.channel(thread)];
        }
        shared->sums[which][k][thread] = sum;
      }
    }
  }

  UNETSEG_ON_BOTH void finish(int thread) const {
    if (thread >= tile.channels) return;
    const int lanes = smaller(tile.lanes, parts_of(term.pixels()));
    const int channel = tile.first + thread;
    for (int which = 0; which < 2; ++which) {
      if (raw(which).values == nullptr) continue;
      float sums[kSums] = {};
      for (int lane = 0; lane < lanes; ++lane)
        for (int k = 0; k < kSums; ++k)
          sums[k] += shared->sums[which][k][lane * tile.channels + thread];
      const auto shift = load_pack<1, T>(raw(which).values,
                                         middle_of(image, term.pixels()) * term.channels + channel);
      shared->norms[which][thread] =
          norm_of(sums[0], sums[1], to_float(shift.values[0]), term.pixels(),
                  raw(which).gamma[channel], raw(which).beta[channel]);
    }
  }

  const Term& term;
  const Tile<1> tile;
  const int image;
  Shared* const shared;
};

// V activated channels of a pixel from the number `index` on; `channel` is the first one's place in
// the tile that was finished.
template <typename T, int V>
UNETSEG_ON_BOTH void activate_pack(const Term& term, const typename Normaliser<T>::Shared& shared,
                                   std::size_t index, int channel, float* out) {
  const auto first = load_pack<V, T>(term.first.values, index);
  for (int i = 0; i < V; ++i)
    out[i] = activated(to_float(first.values[i]), shared.norms[0][channel + i]);
  if (term.second.values == nullptr) return;
  const auto second = load_pack<V, T>(term.second.values, index);
  for (int i = 0; i < V; ++i)
    out[i] += activated(to_float(second.values[i]), shared.norms[1][channel + i]);
}

}  // namespace unetseg::cuda
