// SPDX-License-Identifier: MIT
#include "model/network/norm/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "model/frame/clones.h"

#define UNETSEG_INLINE_LAMBDA __attribute__((always_inline))

namespace unetseg::norm {
namespace {

constexpr std::size_t kLanes = 8;         // channels that are worked on together
constexpr std::size_t kPixelsInSum = 64;  // that are added up in float32

typedef float Floats __attribute__((vector_size(32)));
typedef std::int32_t Integers __attribute__((vector_size(32)));
typedef std::uint32_t Words __attribute__((vector_size(32)));
typedef std::uint16_t Halves __attribute__((vector_size(16)));

// By reference throughout: a vector that is returned or passed by value is a matter of the ABI.
UNETSEG_INLINE void load(const float* p, Floats* v) {
  std::memcpy(v, p, sizeof *v);
}

UNETSEG_INLINE void store(float* p, const Floats& v) {
  std::memcpy(p, &v, sizeof v);
}

UNETSEG_INLINE void load(const Bfloat16* p, Floats* v) {
  Halves h;
  std::memcpy(&h, p, sizeof h);
  *v = reinterpret_cast<Floats>(__builtin_convertvector(h, Words) << 16);
}

// To the nearest, halves to even; what is no number stays none.
UNETSEG_INLINE void store(Bfloat16* p, const Floats& v) {
  const Words w = reinterpret_cast<Words>(v);
  const Words rounded = (w + 0x7fffu + ((w >> 16) & 1u)) >> 16;
  const Integers is_number = v == v;
  const Words bits = is_number ? rounded : Words{} + 0x7fc0u;
  const Halves h = __builtin_convertvector(bits, Halves);
  std::memcpy(p, &h, sizeof h);
}

// Where fewer than kLanes channels are left.
template <typename T>
UNETSEG_INLINE void load(const T* p, std::size_t lanes, Floats* v) {
  if (lanes == kLanes) return load(p, v);
  T padded[kLanes] = {};
  std::copy_n(p, lanes, padded);
  load(padded, v);
}

template <typename T>
UNETSEG_INLINE void store(T* p, const Floats& v, std::size_t lanes) {
  if (lanes == kLanes) return store(p, v);
  T padded[kLanes];
  store(padded, v);
  std::copy_n(padded, lanes, p);
}

// Channels side by side, in several registers: a pixel's part of a cache line is read as a whole.
template <int Count>
struct Block {
  Floats v[Count] = {};
};

// `lanes` of them, kLanes but where Count is 1 and fewer are left.
template <int Count, typename T>
UNETSEG_INLINE Block<Count> load_block(const T* p, std::size_t lanes) {
  Block<Count> block;
  for (int i = 0; i < Count; ++i) load(p + i * kLanes, lanes, &block.v[i]);
  return block;
}

// Two sums for each channel, in float64.
template <int Count>
struct Sums {
  double first[Count][kLanes] = {}, second[Count][kLanes] = {};
};

// Calls add(pixel, &a, &b) for every pixel, where a and b start at zero; they are collected in
// float64.
template <int Count, typename Add>
UNETSEG_INLINE void add_up(std::size_t pixels, Sums<Count>* total, const Add& add) {
  for (std::size_t begin = 0; begin < pixels; begin += kPixelsInSum) {
    const std::size_t end = std::min(pixels, begin + kPixelsInSum);
    Block<Count> a, b;
    for (std::size_t p = begin; p < end; ++p) add(p, &a, &b);
    for (int i = 0; i < Count; ++i)
      for (std::size_t l = 0; l < kLanes; ++l) {
        total->first[i][l] += a.v[i][l];
        total->second[i][l] += b.v[i][l];
      }
  }
}

template <int Count, typename T>
UNETSEG_INLINE void forward_block(std::size_t pixels, std::size_t channel, std::size_t lanes,
                                  const Rows<const T>& in, const Affine& affine, float epsilon,
                                  float slope, const Statistics& statistics, const Rows<T>& out) {
  const T* from = in.data + channel;
  // Of the order of the mean, whose square would cancel.
  const auto shift = load_block<Count>(from, lanes);
  Sums<Count> sums;
  add_up(pixels, &sums,
         [&](std::size_t p, Block<Count>* sum, Block<Count>* squares) UNETSEG_INLINE_LAMBDA {
           const auto x = load_block<Count>(from + p * in.stride, lanes);
           for (int i = 0; i < Count; ++i) {
             const Floats d = x.v[i] - shift.v[i];
             sum->v[i] += d;
             squares->v[i] += d * d;
           }
         });
  Block<Count> mean, scale;
  const auto bias = load_block<Count>(affine.bias + channel, lanes);
  for (int i = 0; i < Count; ++i)
    for (std::size_t l = 0; l < lanes; ++l) {
      const double n = static_cast<double>(pixels), d = sums.first[i][l] / n;
      const double variance = std::max(0., sums.second[i][l] / n - d * d);
      const double inverse = 1 / std::sqrt(variance + epsilon);
      const std::size_t c = channel + i * kLanes + l;
      mean.v[i][l] = statistics.mean[c] = static_cast<float>(shift.v[i][l] + d);
      statistics.inverse_deviation[c] = static_cast<float>(inverse);
      scale.v[i][l] = static_cast<float>(affine.weight[c] * inverse);
    }
  T* to = out.data + channel;
  for (std::size_t p = 0; p < pixels; ++p) {
    const auto x = load_block<Count>(from + p * in.stride, lanes);
    for (int i = 0; i < Count; ++i) {
      const Floats v = (x.v[i] - mean.v[i]) * scale.v[i] + bias.v[i], small = v * slope;
      store(to + p * out.stride + i * kLanes, v > small ? v : small, lanes);
    }
  }
}

template <int Count, typename T>
UNETSEG_INLINE void backward_block(std::size_t pixels, std::size_t channel, std::size_t lanes,
                                   const Rows<const T>& in, const Rows<const T>& out_gradient,
                                   const Affine& affine, float slope, const Statistics& statistics,
                                   const Rows<T>& in_gradient, float* weight_gradient,
                                   float* bias_gradient) {
  const auto mean = load_block<Count>(statistics.mean + channel, lanes);
  const auto inverse = load_block<Count>(statistics.inverse_deviation + channel, lanes);
  const auto weight = load_block<Count>(affine.weight + channel, lanes);
  const auto bias = load_block<Count>(affine.bias + channel, lanes);
  const T* from = in.data + channel;
  const T* upper = out_gradient.data + channel;
  // The normalised values, and the gradient in front of the activation.
  const auto at = [&](std::size_t p, Block<Count>* normal,
                      Block<Count>* gradient) UNETSEG_INLINE_LAMBDA {
    const auto x = load_block<Count>(from + p * in.stride, lanes);
    const auto g = load_block<Count>(upper + p * out_gradient.stride, lanes);
    for (int i = 0; i < Count; ++i) {
      normal->v[i] = (x.v[i] - mean.v[i]) * inverse.v[i];
      gradient->v[i] = normal->v[i] * weight.v[i] + bias.v[i] > 0.f ? g.v[i] : g.v[i] * slope;
    }
  };
  Sums<Count> sums;
  add_up(pixels, &sums,
         [&](std::size_t p, Block<Count>* sum, Block<Count>* products) UNETSEG_INLINE_LAMBDA {
           Block<Count> normal, gradient;
           at(p, &normal, &gradient);
           for (int i = 0; i < Count; ++i) {
             sum->v[i] += gradient.v[i];
             products->v[i] += gradient.v[i] * normal.v[i];
           }
         });
  Block<Count> mean_gradient, mean_product, scale;
  for (int i = 0; i < Count; ++i) {
    for (std::size_t l = 0; l < lanes; ++l) {
      const std::size_t c = channel + i * kLanes + l;
      const double n = static_cast<double>(pixels);
      bias_gradient[c] += static_cast<float>(sums.first[i][l]);
      weight_gradient[c] += static_cast<float>(sums.second[i][l]);
      mean_gradient.v[i][l] = static_cast<float>(sums.first[i][l] / n);
      mean_product.v[i][l] = static_cast<float>(sums.second[i][l] / n);
    }
    scale.v[i] = weight.v[i] * inverse.v[i];
  }
  T* to = in_gradient.data + channel;
  for (std::size_t p = 0; p < pixels; ++p) {
    Block<Count> normal, gradient;
    at(p, &normal, &gradient);
    for (int i = 0; i < Count; ++i)
      store(to + p * in_gradient.stride + i * kLanes,
            scale.v[i] * (gradient.v[i] - mean_gradient.v[i] - normal.v[i] * mean_product.v[i]),
            lanes);
  }
}

// Calls work(count, channel, lanes) for all channels, `count` being an integral_constant.
template <typename Work>
UNETSEG_INLINE void for_blocks(std::size_t channels, const Work& work) {
  std::size_t c = 0;
  for (; c + 4 * kLanes <= channels; c += 4 * kLanes)
    work(std::integral_constant<int, 4>(), c, kLanes);
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes)
    work(std::integral_constant<int, 2>(), c, kLanes);
  for (; c + kLanes <= channels; c += kLanes) work(std::integral_constant<int, 1>(), c, kLanes);
  if (c < channels) work(std::integral_constant<int, 1>(), c, channels - c);
}

template <typename T>
UNETSEG_INLINE void forward_picture(const Shape& shape, const Rows<const T>& in,
                                    const Affine& affine, float epsilon, float slope,
                                    const Statistics& statistics, const Rows<T>& out) {
  for_blocks(shape.channels,
             [&](auto count, std::size_t channel, std::size_t lanes) UNETSEG_INLINE_LAMBDA {
               forward_block<decltype(count)::value>(shape.pixels, channel, lanes, in, affine,
                                                     epsilon, slope, statistics, out);
             });
}

template <typename T>
UNETSEG_INLINE void backward_picture(const Shape& shape, const Rows<const T>& in,
                                     const Rows<const T>& out_gradient, const Affine& affine,
                                     float slope, const Statistics& statistics,
                                     const Rows<T>& in_gradient, float* weight_gradient,
                                     float* bias_gradient) {
  for_blocks(shape.channels,
             [&](auto count, std::size_t channel, std::size_t lanes) UNETSEG_INLINE_LAMBDA {
               backward_block<decltype(count)::value>(shape.pixels, channel, lanes, in,
                                                      out_gradient, affine, slope, statistics,
                                                      in_gradient, weight_gradient, bias_gradient);
             });
}

UNETSEG_CLONES void forward_floats(const Shape& shape, const Rows<const float>& in,
                                   const Affine& affine, float epsilon, float slope,
                                   const Statistics& statistics, const Rows<float>& out) {
  forward_picture(shape, in, affine, epsilon, slope, statistics, out);
}

UNETSEG_CLONES void backward_floats(const Shape& shape, const Rows<const float>& in,
                                    const Rows<const float>& out_gradient, const Affine& affine,
                                    float slope, const Statistics& statistics,
                                    const Rows<float>& in_gradient, float* weight_gradient,
                                    float* bias_gradient) {
  backward_picture(shape, in, out_gradient, affine, slope, statistics, in_gradient, weight_gradient,
                   bias_gradient);
}

UNETSEG_CLONES void forward_bfloat16(const Shape& shape, const Rows<const Bfloat16>& in,
                                     const Affine& affine, float epsilon, float slope,
                                     const Statistics& statistics, const Rows<Bfloat16>& out) {
  forward_picture(shape, in, affine, epsilon, slope, statistics, out);
}

UNETSEG_CLONES void backward_bfloat16(const Shape& shape, const Rows<const Bfloat16>& in,
                                      const Rows<const Bfloat16>& out_gradient,
                                      const Affine& affine, float slope,
                                      const Statistics& statistics,
                                      const Rows<Bfloat16>& in_gradient, float* weight_gradient,
                                      float* bias_gradient) {
  backward_picture(shape, in, out_gradient, affine, slope, statistics, in_gradient, weight_gradient,
                   bias_gradient);
}

}  // namespace

template <>
void forward(const Shape& shape, const Rows<const float>& in, const Affine& affine, float epsilon,
             float slope, const Statistics& statistics, const Rows<float>& out) {
  forward_floats(shape, in, affine, epsilon, slope, statistics, out);
}

template <>
void backward(const Shape& shape, const Rows<const float>& in,
              const Rows<const float>& out_gradient, const Affine& affine, float slope,
              const Statistics& statistics, const Rows<float>& in_gradient, float* weight_gradient,
              float* bias_gradient) {
  backward_floats(shape, in, out_gradient, affine, slope, statistics, in_gradient, weight_gradient,
                  bias_gradient);
}

template <>
void forward(const Shape& shape, const Rows<const Bfloat16>& in, const Affine& affine,
             float epsilon, float slope, const Statistics& statistics, const Rows<Bfloat16>& out) {
  forward_bfloat16(shape, in, affine, epsilon, slope, statistics, out);
}

template <>
void backward(const Shape& shape, const Rows<const Bfloat16>& in,
              const Rows<const Bfloat16>& out_gradient, const Affine& affine, float slope,
              const Statistics& statistics, const Rows<Bfloat16>& in_gradient,
              float* weight_gradient, float* bias_gradient) {
  backward_bfloat16(shape, in, out_gradient, affine, slope, statistics, in_gradient,
                    weight_gradient, bias_gradient);
}

}  // namespace unetseg::norm
