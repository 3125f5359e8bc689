// SPDX-License-Identifier: MIT
// InstanceNorm followed by LeakyReLU, forwards and backwards, of one picture whose channels lie
// side by side. No LibTorch in here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace unetseg::norm {

// The upper half of a float32.
struct Bfloat16 {
  std::uint16_t bits;
};

// One picture, or what belongs to one: `pixels` rows of channels, `stride` elements apart.
template <typename T>
struct Rows {
  T* data;
  std::size_t stride;
};

// Of one picture, an element a channel: its mean and 1 / sqrt(variance + epsilon).
struct Statistics {
  float* mean;
  float* inverse_deviation;
};

struct Affine {
  const float* weight;
  const float* bias;
};

struct Shape {
  std::size_t pixels, channels;  // at least one each
};

// T: float or Bfloat16. Sums are taken in float32 and collected in float64. Any thread.

// statistics and out := LeakyReLU(weight * (in - mean) * inverse_deviation + bias).
template <typename T>
void forward(const Shape& shape, const Rows<const T>& in, const Affine& affine, float epsilon,
             float slope, const Statistics& statistics, const Rows<T>& out);

// From the gradient of `out` the one of `in`; adds to those of weight and bias, an element a
// channel.
template <typename T>
void backward(const Shape& shape, const Rows<const T>& in, const Rows<const T>& out_gradient,
              const Affine& affine, float slope, const Statistics& statistics,
              const Rows<T>& in_gradient, float* weight_gradient, float* bias_gradient);

}  // namespace unetseg::norm
