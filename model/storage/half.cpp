// SPDX-License-Identifier: MIT
#include "model/storage/half.h"

#include <cmath>
#include <cstring>

namespace unetseg {
namespace {

float float_of_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

template <typename Stored, typename Convert>
void convert(const void* from, std::size_t count, float* to, Convert convert_one) {
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  for (std::size_t i = 0; i < count; ++i) {
    Stored value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    to[i] = convert_one(value);
  }
}

}  // namespace

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000u} << 16;
  const std::uint32_t exponent = half >> 10 & 0x1f, mantissa = half & 0x3ff;
  if (exponent == 0x1f) return float_of_bits(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
  // Subnormal: mantissa * 2^-24, which float32 holds exactly.
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign != 0 ? -magnitude : magnitude;
}

std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = bits_of(value), magnitude = bits & 0x7fffffffu;
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  if (magnitude > 0x7f800000u) return sign | 0x7e00u | (magnitude >> 13 & 0x3ffu);
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;  // 65520, halfway to 2^16
  if (magnitude < 0x38800000u) {
    // Below 2^-14: adding 0.5 makes the FPU round to multiples of 2^-24, ties to even.
    return static_cast<std::uint16_t>(sign |
                                      (bits_of(float_of_bits(magnitude) + 0.5f) - 0x3f000000u));
  }
  // A carry out of the mantissa moves into the exponent, as it should.
  const std::uint32_t odd = magnitude >> 13 & 1;
  return static_cast<std::uint16_t>(sign | ((magnitude - (112u << 23) + 0xfffu + odd) >> 13));
}

void to_float32(DType dtype, const void* from, std::size_t count, float* to) {
  switch (dtype) {
    case DType::f16:
      return convert<std::uint16_t>(from, count, to, half_to_float);
    case DType::bf16:
      return convert<std::uint16_t>(from, count, to, bfloat16_to_float);
    case DType::f32:
      if (count != 0) std::memcpy(to, from, count * sizeof *to);
      return;
    case DType::f64:
      return convert<double>(from, count, to,
                             [](double value) { return static_cast<float>(value); });
    case DType::i64:
    case DType::i32:
    case DType::u8:
      break;
  }
  throw Error(Fault::settings, "whole numbers stand where the network needs floating-point values");
}

std::size_t to_half(const float* from, std::size_t count, std::uint16_t* to) {
  std::size_t overflows = 0;
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = float_to_half(from[i]);
    overflows += (to[i] & 0x7fffu) == 0x7c00u && std::isfinite(from[i]);
  }
  return overflows;
}

}  // namespace unetseg
