// SPDX-License-Identifier: MIT
// Number formats of a GPU's memory, for code that is compiled for the host and for the device.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#define UNETSEG_ON_BOTH __host__ __device__ inline
#else
#define UNETSEG_ON_BOTH inline
#endif

#include "model/storage/half.h"

// In front of a loop.
#if defined(__CUDA_ARCH__)
#define UNETSEG_PRAGMA(text) _Pragma(#text)
#define UNETSEG_UNROLL(times) UNETSEG_PRAGMA(unroll times)
#else
#define UNETSEG_UNROLL(times)
#endif

namespace unetseg::cuda {

enum class NumberType { fp32, fp16, bf16 };

struct Half {
  std::uint16_t bits;
};
struct Bfloat16 {
  std::uint16_t bits;
};

UNETSEG_ON_BOTH float to_float(float value) {
  return value;
}

UNETSEG_ON_BOTH float to_float(Half value) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(value.bits));
#else
  return half_to_float(value.bits);
#endif
}

UNETSEG_ON_BOTH float to_float(Bfloat16 value) {
  const std::uint32_t bits = static_cast<std::uint32_t>(value.bits) << 16;
  float result;
  memcpy(&result, &bits, sizeof result);
  return result;
}

UNETSEG_ON_BOTH void store(float value, float* to) {
  *to = value;
}

UNETSEG_ON_BOTH void store(float value, Half* to) {
#if defined(__CUDA_ARCH__)
  to->bits = __half_as_ushort(__float2half_rn(value));
#else
  to->bits = float_to_half(value);
#endif
}

// To the nearest, ties to even; a NaN stays one.
UNETSEG_ON_BOTH void store(float value, Bfloat16* to) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to->bits) : "f"(value));
#else
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if (value != value)
    to->bits = 0x7fc0;
  else
    to->bits = static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
#endif
}

// Neighbouring numbers that are read and written at once.
template <typename T, int V>
struct alignas(sizeof(T) * V) Pack {
  T values[V];
};

}  // namespace unetseg::cuda
