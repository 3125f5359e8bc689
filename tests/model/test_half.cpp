// SPDX-License-Identifier: MIT
// Half and bfloat16: every value, and rounding between each pair of neighbours.
#include <cmath>
#include <cstring>
#include <limits>

#include "model/storage/half.h"

#include "tests/check.h"
#include "tests/assertions.h"

using namespace unetseg;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// IEEE 754's definition, in plain arithmetic.
double value_of_half(unsigned half) {
  const int exponent = static_cast<int>(half >> 10 & 31);
  const double mantissa = half & 1023, sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31) return mantissa == 0 ? sign * kInfinity : std::nan("");
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

bool same(float a, double b) {
  return std::isnan(b) ? std::isnan(a) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

START_TEST(test_every_half_has_its_value) {
  for (unsigned half = 0; half < 65536; ++half)
    ck_assert_msg(same(half_to_float(static_cast<std::uint16_t>(half)), value_of_half(half)),
                  "half 0x%04x gives %a", half, half_to_float(static_cast<std::uint16_t>(half)));
}
END_TEST

START_TEST(test_every_half_survives_the_way_to_float_and_back) {
  for (unsigned half = 0; half < 65536; ++half) {
    const std::uint16_t back = float_to_half(half_to_float(static_cast<std::uint16_t>(half)));
    if (std::isnan(value_of_half(half)))
      ck_assert(std::isnan(value_of_half(back)));
    else
      ck_assert_uint_eq(back, half);
  }
}
END_TEST

START_TEST(test_floats_between_two_halves_go_to_the_nearer_and_ties_to_even) {
  for (unsigned low = 0; low < 0x7bff; ++low) {
    const unsigned high = low + 1, even = low % 2 == 0 ? low : high;
    const auto middle = static_cast<float>((value_of_half(low) + value_of_half(high)) / 2);
    for (const unsigned sign : {0u, 0x8000u}) {
      const float way = sign ? -1 : 1;
      ck_assert_uint_eq(float_to_half(way * middle), sign | even);
      ck_assert_uint_eq(float_to_half(way * std::nextafter(middle, 0.f)), sign | low);
      ck_assert_uint_eq(float_to_half(way * std::nextafter(middle, kInfinity)), sign | high);
    }
  }
}
END_TEST

START_TEST(test_floats_beyond_the_halves_become_infinite_or_zero) {
  ck_assert_uint_eq(float_to_half(65519.996f), 0x7bff);
  ck_assert_uint_eq(float_to_half(65520), 0x7c00);
  ck_assert_uint_eq(float_to_half(-65520), 0xfc00);
  ck_assert_uint_eq(float_to_half(std::numeric_limits<float>::max()), 0x7c00);
  ck_assert_uint_eq(float_to_half(-kInfinity), 0xfc00);
  ck_assert_uint_eq(float_to_half(std::numeric_limits<float>::denorm_min()), 0);
  ck_assert_uint_eq(float_to_half(-std::numeric_limits<float>::min()), 0x8000);
  ck_assert(std::isnan(value_of_half(float_to_half(std::numeric_limits<float>::signaling_NaN()))));
}
END_TEST

START_TEST(test_overflows_are_counted_and_infinities_are_not) {
  const float values[] = {1, 65519, 65520, -1e30f, kInfinity, NAN, 0};
  std::uint16_t halves[7];
  ck_assert_uint_eq(to_half(values, 7, halves), 2);
  ck_assert_uint_eq(halves[0], 0x3c00);
  ck_assert_uint_eq(halves[1], 0x7bff);
  ck_assert_uint_eq(halves[3], 0xfc00);
}
END_TEST

START_TEST(test_every_bfloat16_is_the_upper_half_of_a_float) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    std::uint32_t wide;
    std::memcpy(&wide, &value, sizeof wide);
    ck_assert_uint_eq(wide, bits << 16);
  }
}
END_TEST

START_TEST(test_floats_go_to_the_nearest_bfloat16_and_ties_to_even) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto bfloat16 = static_cast<std::uint16_t>(bits);
    const float value = bfloat16_to_float(bfloat16);
    if (std::isnan(value))
      ck_assert(std::isnan(bfloat16_to_float(float_to_bfloat16(value))));
    else
      ck_assert_uint_eq(float_to_bfloat16(value), bits);
  }
  ck_assert_uint_eq(float_to_bfloat16(0x1.01p0f), 0x3f80);  // halfway
  ck_assert_uint_eq(float_to_bfloat16(0x1.03p0f), 0x3f82);
  ck_assert_uint_eq(float_to_bfloat16(-0x1.010002p0f), 0xbf81);
  ck_assert_uint_eq(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
}
END_TEST

START_TEST(test_buffers_of_each_type_become_float) {
  // One byte off any alignment, as tensors may lie in a file.
  std::uint8_t bytes[1 + 3 * sizeof(double)];
  float values[3];
  const auto convert = [&](DType dtype, const void* from, std::size_t size) {
    std::memcpy(bytes + 1, from, size);
    to_float32(dtype, bytes + 1, 3, values);
  };
  const std::uint16_t halves[] = {0x3c00, 0xc000, 0x0001}, brains[] = {0x3f80, 0xc000, 0x0001};
  const float floats[] = {1, -2, 1e-45f};
  const double doubles[] = {1 + 0x1p-24, -2, 1e300};
  convert(DType::f16, halves, sizeof halves);
  ck_assert(values[0] == 1 && values[1] == -2 && values[2] == 0x1p-24f);
  convert(DType::bf16, brains, sizeof brains);
  ck_assert(values[0] == 1 && values[1] == -2 && values[2] == 0x1p-133f);
  convert(DType::f32, floats, sizeof floats);
  ck_assert(values[0] == 1 && values[1] == -2 && values[2] == 1e-45f);
  convert(DType::f64, doubles, sizeof doubles);
  ck_assert(values[0] == 1 && values[1] == -2 && values[2] == kInfinity);
}
END_TEST

START_TEST(test_whole_numbers_are_refused) {
  float value;
  for (const DType dtype : {DType::i64, DType::i32, DType::u8})
    assert_fault(error_of([&] { to_float32(dtype, &value, 0, &value); }), Fault::settings);
}
END_TEST

int main() {
  TCase* tests = tcase_create("half");
  tcase_add_test(tests, test_every_half_has_its_value);
  tcase_add_test(tests, test_every_half_survives_the_way_to_float_and_back);
  tcase_add_test(tests, test_floats_between_two_halves_go_to_the_nearer_and_ties_to_even);
  tcase_add_test(tests, test_floats_beyond_the_halves_become_infinite_or_zero);
  tcase_add_test(tests, test_overflows_are_counted_and_infinities_are_not);
  tcase_add_test(tests, test_every_bfloat16_is_the_upper_half_of_a_float);
  tcase_add_test(tests, test_floats_go_to_the_nearest_bfloat16_and_ties_to_even);
  tcase_add_test(tests, test_buffers_of_each_type_become_float);
  tcase_add_test(tests, test_whole_numbers_are_refused);
  Suite* suite = suite_create("half");
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
