// SPDX-License-Identifier: MIT
#include "model/storage/finite.h"

#include <cstdint>
#include <cstring>

namespace unetseg {
namespace {

// `infinity` is the bit pattern of +infinity: larger magnitudes are NaNs. Bits rather than isnan():
// that would depend on the compiler's floating-point options.
template <typename Bits>
NonFinite count(const void* data, std::size_t bytes, Bits infinity) {
  const auto* at = static_cast<const std::uint8_t*>(data);
  constexpr Bits kSign = Bits{1} << (8 * sizeof(Bits) - 1);
  NonFinite found;
  for (std::size_t i = 0; i + sizeof(Bits) <= bytes; i += sizeof(Bits)) {
    Bits value;
    std::memcpy(&value, at + i, sizeof value);
    value = static_cast<Bits>(value & ~kSign);
    found.nans += value > infinity;
    found.infinities += value == infinity;
  }
  return found;
}

}  // namespace

NonFinite count_non_finite(DType dtype, const void* data, std::size_t bytes) {
  switch (dtype) {
    case DType::f64:
      return count<std::uint64_t>(data, bytes, 0x7ff0000000000000u);
    case DType::f32:
      return count<std::uint32_t>(data, bytes, 0x7f800000u);
    case DType::f16:
      return count<std::uint16_t>(data, bytes, 0x7c00u);
    case DType::bf16:
      return count<std::uint16_t>(data, bytes, 0x7f80u);
    case DType::i64:
    case DType::i32:
    case DType::u8:
      break;
  }
  return {};
}

}  // namespace unetseg
