// SPDX-License-Identifier: MIT
// Statistics of a map: how blocks add them up, and what is made of them.
#pragma once

#include <cmath>

#include "model/engine/cuda/conv/jobs.h"
#include "model/engine/cuda/kernels.h"

namespace unetseg::cuda {

struct ScaleShift {
  float scale, shift;
};

UNETSEG_ON_BOTH float activated(float raw, const ScaleShift& norm) {
  const float value = raw * norm.scale + norm.shift;
  // A NaN stays one.
  return fmaxf(value, kLeakySlope * value);
}

// Of a channel of an image.
template <typename Machine>
UNETSEG_ON_BOTH ScaleShift norm_of(const Machine& machine, const NodeMap& map, int image,
                                   int channel) {
  const ChannelSums sums = machine.template load_vector<ChannelSums>(
      map.sums.sums + static_cast<std::size_t>(image) * map.channels + channel);
  const unsigned not_finite = machine.load(map.sums.not_finite + image);
  const float gamma = map.gamma[channel], beta = map.beta[channel];
  const double mean = static_cast<double>(sums.values) * map.mean_of_sum;
  const double variance = static_cast<double>(sums.squares) * map.mean_of_squares - mean * mean;
  const float positive = variance < 0 ? 0 : static_cast<float>(variance);  // rounding
  const float scale = gamma * machine.inverse_root(positive + kNormEpsilon);
  if (not_finite != 0) return {NAN, NAN};
  return {scale, beta - static_cast<float>(mean) * scale};
}

// What a block found of a channel: sums about a value near the mean, of so many pixels.
struct TileSums {
  float apart, squares_apart, near;
  int pixels;
};

// Adds them to the image's.
template <typename Machine>
UNETSEG_ON_BOTH void add_up(const Machine& machine, const TileSums& tile, const ConvJob& job,
                            int image, int channel) {
  const double n = tile.pixels, near = static_cast<double>(tile.near) * job.per_unit;
  const double apart = static_cast<double>(tile.apart) * job.per_unit;
  const double squares_apart =
      static_cast<double>(tile.squares_apart) * job.per_unit * job.per_unit;
  const double sum = apart + n * near;
  const double squares = squares_apart + near * (2 * apart + n * near);
  if (!(squares <= job.most_squares)) {
    machine.set(job.sums.not_finite + image);
    return;
  }
  ChannelSums* sums =
      job.sums.sums + static_cast<std::size_t>(image) * job.plan.form.out_channels + channel;
  constexpr double kSumUnits = std::int64_t{1} << kSumBits;
  constexpr double kSquareUnits = std::int64_t{1} << kSquareBits;
  machine.add(&sums->values, sum * kSumUnits);
  machine.add(&sums->squares, squares * kSquareUnits);
}

}  // namespace unetseg::cuda
