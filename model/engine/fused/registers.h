// SPDX-License-Identifier: MIT
// Registers of any width, for the kernels. Everything in here and in the kernels' headers is local
// to the file that includes it: each is compiled for another instruction set, and the same template
// compiled with other flags is other code.
#pragma once

#include <cstring>
#include <utility>
#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "model/engine/fused/kernels.h"
#include "model/frame/clones.h"

namespace unetseg::fused {
namespace {

constexpr float kSlope = 0.01f;

// GCC knows no vectors whose size is a template's argument.
template <int Lanes>
struct VectorTypes;
template <>
struct VectorTypes<4> {
  typedef float Floats __attribute__((vector_size(16)));
  typedef int Integers __attribute__((vector_size(16)));
  typedef Bf16 Halves __attribute__((vector_size(8)));
};
template <>
struct VectorTypes<8> {
  typedef float Floats __attribute__((vector_size(32)));
  typedef int Integers __attribute__((vector_size(32)));
  typedef Bf16 Halves __attribute__((vector_size(16)));
};
template <>
struct VectorTypes<16> {
  typedef float Floats __attribute__((vector_size(64)));
  typedef int Integers __attribute__((vector_size(64)));
  typedef Bf16 Halves __attribute__((vector_size(32)));
};

// `Lanes` floats in a register, `Count` registers.
template <int Lanes, int Count>
struct Registers {
  static constexpr int kLanes = Lanes, kCount = Count;
  using Vector = typename VectorTypes<Lanes>::Floats;
  using Integers = typename VectorTypes<Lanes>::Integers;
  using Halves = typename VectorTypes<Lanes>::Halves;

  static UNETSEG_INLINE Vector load(const float* p) {
    Vector v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static UNETSEG_INLINE void store(float* p, Vector v) { std::memcpy(p, &v, sizeof v); }
  static UNETSEG_INLINE Vector load(const Bf16* p) {
    Halves halves;
    std::memcpy(&halves, p, sizeof halves);
    return reinterpret_cast<Vector>(__builtin_convertvector(halves, Integers) << 16);
  }
#if defined(__AVX512BF16__)
  // To the nearest.
  static UNETSEG_INLINE void store(Bf16* p, Vector v) {
    const __m256bh halves = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
    std::memcpy(p, &halves, sizeof halves);
  }
#endif
  static UNETSEG_INLINE Vector all(float x) {
    return x - Vector{};
  }
  static UNETSEG_INLINE Vector larger(Vector a, Vector b) {
    return a > b ? a : b;
  }

  // values[0] receives the sum of each vector's lanes, one to a lane.
  static UNETSEG_INLINE void sum_lanes(Vector (&values)[Lanes]) {
    fold<Lanes / 2>(values);
  }

  // Halves the number of vectors, and of the lanes that belong to one sum, until they are one.
  template <int Half>
  static UNETSEG_INLINE void fold(Vector (&values)[Lanes]) {
    for (int i = 0; i < Half; ++i)
      values[i] = fold_two<Half>(values[i], values[i + Half], std::make_index_sequence<Lanes>());
    if constexpr (Half > 1) fold<Half / 2>(values);
  }
  template <int Half, std::size_t... I>
  static UNETSEG_INLINE Vector fold_two(Vector a, Vector b, std::index_sequence<I...>) {
    return __builtin_shufflevector(a, b, ((I & Half) == 0 ? I : Lanes + I - Half)...) +
           __builtin_shufflevector(a, b, ((I & Half) == 0 ? I + Half : Lanes + I)...);
  }

  struct Affine {
    Vector scale, offset;
    UNETSEG_INLINE Vector operator()(Vector x) const {
      const Vector v = scale * x + offset;
      return larger(v, kSlope * v);
    }
  };
  template <typename Raw>
  static UNETSEG_INLINE Affine affine(const LazyOf<Raw>& lazy, int channel) {
    return {load(lazy.scale + channel), load(lazy.offset + channel)};
  }

  // Adds to the moments of `Wide` registers of channels; the very first pixel gives the shift.
  template <int Rows, int Wide>
  static UNETSEG_INLINE void note(const Moments& moments, int channel, bool first,
                                  const Vector (&values)[Rows][Wide]) {
    for (int w = 0; w < Wide; ++w) {
      const int c = channel + w * Lanes;
      if (first) {
        store(moments.shift + c, values[0][w]);
        store(moments.sum + c, Vector{});
        store(moments.square + c, Vector{});
      }
      const Vector shift = load(moments.shift + c);
      Vector sum = Vector{}, square = Vector{};
      for (int r = 0; r < Rows; ++r) {
        const Vector d = values[r][w] - shift;
        sum += d;
        square += d * d;
      }
      store(moments.sum + c, load(moments.sum + c) + sum);
      store(moments.square + c, load(moments.square + c) + square);
    }
  }
};

}  // namespace
}  // namespace unetseg::fused
