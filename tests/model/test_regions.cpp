// SPDX-License-Identifier: MIT
// Regions of masks, against a flood fill.
#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "model/mask/regions.h"

#include "tests/check.h"

using namespace unetseg;

namespace {

struct Mask {
  int width, height;
  std::vector<std::uint8_t> bytes;
};

struct Flooded {
  std::vector<int> region;  // of each pixel; -1: of none
  std::vector<Regions::Region> regions;
};

Flooded flooded(const Mask& mask, std::uint8_t value, bool corners) {
  Flooded result = {std::vector<int>(mask.bytes.size(), -1), {}};
  for (int first = 0; first < mask.width * mask.height; ++first) {
    if (mask.bytes[static_cast<std::size_t>(first)] != value ||
        result.region[static_cast<std::size_t>(first)] >= 0)
      continue;
    const int number = static_cast<int>(result.regions.size());
    result.regions.push_back({0, false});
    std::vector<int> open = {first};
    result.region[static_cast<std::size_t>(first)] = number;
    while (!open.empty()) {
      const int x = open.back() % mask.width, y = open.back() / mask.width;
      open.pop_back();
      ++result.regions.back().area;
      for (int j = -1; j <= 1; ++j)
        for (int i = -1; i <= 1; ++i) {
          if ((i != 0 && j != 0 && !corners) || (i == 0 && j == 0)) continue;
          if (x + i < 0 || x + i >= mask.width || y + j < 0 || y + j >= mask.height) {
            result.regions.back().touches_border |= i == 0 || j == 0;
            continue;
          }
          const int next = (y + j) * mask.width + x + i;
          if (mask.bytes[static_cast<std::size_t>(next)] != value ||
              result.region[static_cast<std::size_t>(next)] >= 0)
            continue;
          result.region[static_cast<std::size_t>(next)] = number;
          open.push_back(next);
        }
    }
  }
  return result;
}

// What write() says of each pixel.
std::vector<int> regions_of_pixels(const Regions& regions, std::size_t pixels) {
  std::vector<int> numbers(pixels, -1);
  for (std::size_t i = 0; i < regions.regions().size(); ++i) {
    std::vector<std::uint8_t> chosen(pixels, 0);
    regions.write(chosen.data(), 1, [i](std::size_t number) { return number == i; });
    for (std::size_t k = 0; k < pixels; ++k)
      if (chosen[k] != 0) numbers[k] = static_cast<int>(i);
  }
  return numbers;
}

void assert_found(Regions& regions, const Mask& mask) {
  for (const std::uint8_t value : {0, 1})
    for (const bool corners : {false, true}) {
      regions.find(mask.bytes.data(), mask.width, mask.height, value,
                   corners ? Neighbourhood::edges_and_corners : Neighbourhood::edges);
      const Flooded expected = flooded(mask, value, corners);
      ck_assert_uint_eq(regions.regions().size(), expected.regions.size());
      for (std::size_t i = 0; i < expected.regions.size(); ++i) {
        ck_assert_int_eq(regions.regions()[i].area, expected.regions[i].area);
        ck_assert_int_eq(regions.regions()[i].touches_border, expected.regions[i].touches_border);
      }
      ck_assert(regions_of_pixels(regions, mask.bytes.size()) == expected.region);
    }
}

Mask noise(int width, int height, double share, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::bernoulli_distribution is_in(share);
  Mask mask = {width, height, {}};
  for (int i = 0; i < width * height; ++i) mask.bytes.push_back(is_in(random));
  return mask;
}

}  // namespace

// Sparse and dense noise has spirals, rings, and runs that join regions late.
START_TEST(test_regions_are_those_of_a_flood_fill) {
  Regions regions;
  std::uint32_t seed = 0;
  for (const auto& size : {std::pair(1, 1), std::pair(1, 9), std::pair(9, 1), std::pair(2, 2),
                           std::pair(13, 7), std::pair(40, 33)})
    for (const double share : {0., .1, .3, .45, .55, .6, .75, .9, 1.})
      for (int i = 0; i < 8; ++i)
        assert_found(regions, noise(size.first, size.second, share, ++seed));
}
END_TEST

// Each run opens another region, and the last row joins them all.
START_TEST(test_a_comb_is_one_region) {
  for (const bool upside_down : {false, true}) {
    Mask comb = {21, 12, {}};
    for (int y = 0; y < comb.height; ++y)
      for (int x = 0; x < comb.width; ++x)
        comb.bytes.push_back(x % 2 == 0 || y == (upside_down ? 0 : comb.height - 1));
    Regions regions;
    assert_found(regions, comb);
    regions.find(comb.bytes.data(), comb.width, comb.height, 1, Neighbourhood::edges);
    ck_assert_uint_eq(regions.regions().size(), 1);
  }
}
END_TEST

START_TEST(test_a_checkerboard_is_one_region_or_each_of_its_fields) {
  Mask board = {16, 10, {}};
  for (int y = 0; y < board.height; ++y)
    for (int x = 0; x < board.width; ++x) board.bytes.push_back((x + y) % 2);
  Regions regions;
  assert_found(regions, board);
  regions.find(board.bytes.data(), 16, 10, 1, Neighbourhood::edges);
  ck_assert_uint_eq(regions.regions().size(), 80);
  regions.find(board.bytes.data(), 16, 10, 1, Neighbourhood::edges_and_corners);
  ck_assert_uint_eq(regions.regions().size(), 1);
}
END_TEST

int main() {
  Suite* suite = suite_create("regions");
  TCase* tests = tcase_create("regions");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_regions_are_those_of_a_flood_fill);
  tcase_add_test(tests, test_a_comb_is_one_region);
  tcase_add_test(tests, test_a_checkerboard_is_one_region_or_each_of_its_fields);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
