// SPDX-License-Identifier: MIT
// Probabilities to masks: enlarging against a naive reference, runs against rows, clean-up.
#include "model/mask/mask.h"

#include "model/error.h"

#include "tests/check.h"
#include "tests/model/map.h"
#include "tests/model/memory_limit.h"

using namespace unetseg;

namespace {

// Noise in steps of 1/8, so that values on the threshold are frequent.
Map stepped_noise(int width, int height, std::uint32_t seed) {
  Map map{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    seed = seed * 1664525u + 1013904223u;
    map.values.push_back(static_cast<float>(seed >> 29) / 7.0f);
  }
  return map;
}

double naive(const Map& map, int x, int y, int width, int height) {
  const auto inside = [](int k, int n) { return std::min(std::max(k, 0), n - 1); };
  const double u = (x + 0.5) * map.width / width - 0.5, v = (y + 0.5) * map.height / height - 0.5;
  const int left = static_cast<int>(std::floor(u)), top = static_cast<int>(std::floor(v));
  double sum = 0;
  for (int j : {0, 1})
    for (int i : {0, 1}) {
      const double weight = (i == 0 ? left + 1 - u : u - left) * (j == 0 ? top + 1 - v : v - top);
      sum += weight * static_cast<double>(map.values[static_cast<std::size_t>(
                          inside(top + j, map.height) * map.width + inside(left + i, map.width))]);
    }
  return sum;
}

struct Sizes {
  int from_width, from_height, width, height;
};
const Sizes kSizes[] = {{1, 1, 1, 1},     {1, 1, 9, 5},      {2, 1, 1, 7},     {4, 4, 4, 4},
                        {5, 7, 50, 13},   {128, 128, 1, 1},  {128, 128, 5, 3}, {16, 16, 385, 289},
                        {40, 30, 39, 31}, {100, 3, 64, 1000}};

// One row of text for each row of the map: '#' is .9, '+' is .6, '.' is .1.
Map drawn(const std::vector<std::string>& rows) {
  Map map{static_cast<int>(rows[0].size()), static_cast<int>(rows.size()), {}};
  for (const std::string& row : rows)
    for (const char c : row) map.values.push_back(c == '#' ? .9f : c == '+' ? .6f : .1f);
  return map;
}

}  // namespace

START_TEST(test_rows_equal_the_naive_reference) {
  std::uint32_t seed = 1;
  for (const Sizes& s : kSizes) {
    const Map map = stepped_noise(s.from_width, s.from_height, seed++);
    Upsampler upsampler;
    upsampler.configure(map.view(), s.width, s.height);
    ck_assert_int_eq(upsampler.width(), s.width);
    ck_assert_int_eq(upsampler.height(), s.height);
    for (int y = s.height - 1; y >= 0; --y) {
      const float* row = upsampler.row(y);
      for (int x = 0; x < s.width; ++x)
        ck_assert_double_eq_tol(static_cast<double>(row[x]), naive(map, x, y, s.width, s.height),
                                2e-6);
    }
  }
}
END_TEST

// Columns 0 and 1 to four: centres at -.25, .25, .75 and 1.25.
START_TEST(test_enlarged_row_is_as_computed_by_hand) {
  const Map map{2, 1, {0, 1}};
  Upsampler upsampler;
  upsampler.configure(map.view(), 4, 2);
  for (int y : {0, 1}) {
    const float* row = upsampler.row(y);
    ck_assert_float_eq(row[0], 0);
    ck_assert_float_eq(row[1], .25f);
    ck_assert_float_eq(row[2], .75f);
    ck_assert_float_eq(row[3], 1);
  }
}
END_TEST

START_TEST(test_runs_are_the_row_where_it_reaches_the_threshold) {
  std::uint32_t seed = 1;
  for (const Sizes& s : kSizes)
    for (const double threshold : {0.0, 1 / 7.0, .3, .5, 1.0, 1.1}) {
      const Map map = stepped_noise(s.from_width, s.from_height, seed++);
      Upsampler upsampler;
      upsampler.configure(map.view(), s.width, s.height);
      for (int y = 0; y < s.height; ++y) {
        std::vector<bool> inside(static_cast<std::size_t>(s.width), false);
        int last = 0;
        for (const Run& run : upsampler.runs_reaching(y, threshold)) {
          ck_assert_int_ge(run.first, last);
          ck_assert_int_lt(run.first, run.last);
          last = run.last;
          for (int x = run.first; x < run.last; ++x) inside[static_cast<std::size_t>(x)] = true;
        }
        ck_assert_int_le(last, s.width);
        const float* row = upsampler.row(y);
        for (int x = 0; x < s.width; ++x) {
          const double distance = static_cast<double>(row[x]) - threshold;
          // Within a rounding of the threshold either answer is right.
          if (std::fabs(distance) > 1e-6)
            ck_assert_int_eq(inside[static_cast<std::size_t>(x)], distance > 0);
        }
      }
    }
}
END_TEST

START_TEST(test_a_probability_on_the_threshold_is_lesion) {
  const Map map{3, 1, {.5f, .5f, .49999997f}};
  Upsampler upsampler;
  upsampler.configure(map.view(), 3, 1);
  const std::vector<Run>& runs = upsampler.runs_reaching(0, .5);
  ck_assert_uint_eq(runs.size(), 1);
  ck_assert_int_eq(runs[0].first, 0);
  ck_assert_int_eq(runs[0].last, 2);
  // As a float .3 lies above the double, .7 below it: there only the next float reaches it.
  ck_assert(reaching_level(.3) == .3f);
  ck_assert(reaching_level(.7) == std::nextafter(.7f, 1.0f));
}
END_TEST

START_TEST(test_rows_reaching_bounds_the_mask_closely) {
  std::uint32_t seed = 77;
  for (const Sizes& s : kSizes) {
    Map map{s.from_width, s.from_height, {}};
    map.values.assign(static_cast<std::size_t>(s.from_width * s.from_height), 0);
    seed = seed * 1664525u + 1013904223u;
    map.values[seed % map.values.size()] = 1;
    const int source_row = static_cast<int>(seed % map.values.size()) / s.from_width;
    Upsampler upsampler;
    upsampler.configure(map.view(), s.width, s.height);
    int first, last;
    upsampler.rows_reaching(.5, &first, &last);
    ck_assert_int_ge(first, 0);
    ck_assert_int_le(last, s.height);
    for (int y = 0; y < s.height; ++y)
      if (y < first || y >= last) ck_assert(upsampler.runs_reaching(y, .5).empty());
    const double scale = static_cast<double>(s.height) / s.from_height;
    ck_assert_double_ge(first, (source_row - 1) * scale - 2);
    ck_assert_double_le(last, (source_row + 2) * scale + 2);
  }
}
END_TEST

START_TEST(test_rows_reaching_is_empty_where_nothing_does) {
  const Map map = drawn({"..", ".."});
  Upsampler upsampler;
  upsampler.configure(map.view(), 20, 20);
  int first = 5, last = 9;
  upsampler.rows_reaching(.5, &first, &last);
  ck_assert_int_eq(first, last);
}
END_TEST

START_TEST(test_a_new_source_of_the_same_size_is_seen) {
  const Map one = drawn({"..", ".."}), other = drawn({"##", "##"});
  Upsampler upsampler;
  upsampler.configure(one.view(), 4, 4);
  ck_assert_float_eq(upsampler.row(2)[1], .1f);
  upsampler.configure(other.view(), 4, 4);
  ck_assert_float_eq(upsampler.row(2)[1], .9f);
}
END_TEST

START_TEST(test_mask_leaves_the_bytes_between_rows_alone) {
  const Map map = drawn({"#.", ".."});
  Upsampler upsampler;
  upsampler.configure(map.view(), 2, 2);
  for (const bool bottom_up : {false, true}) {
    std::vector<std::uint8_t> memory(10, 7);
    mask_from_probabilities(upsampler, .5, memory.data() + (bottom_up ? 5 : 0), bottom_up ? -5 : 5);
    const std::vector<std::uint8_t> top_down = {255, 0, 7, 7, 7, 0, 0, 7, 7, 7};
    const std::vector<std::uint8_t> turned = {0, 0, 7, 7, 7, 255, 0, 7, 7, 7};
    ck_assert(memory == (bottom_up ? turned : top_down));
  }
}
END_TEST

START_TEST(test_c2_a_mask_too_wide_for_memory_is_reported_and_survived) {
  if (!kMemoryCanBeLimited) return;
  const Map map = drawn({"#"});
  Upsampler upsampler;
  bool reported = false;
  const MemoryLimit limit(std::size_t{1} << 30);
  try {
    upsampler.configure(map.view(), 1 << 30, 1);
  } catch (const Error& e) {
    reported = e.fault() == Fault::no_space;
  }
  ck_assert(reported);
  upsampler.configure(map.view(), 3, 1);
  ck_assert_float_eq(upsampler.row(0)[2], .9f);
}
END_TEST

static void assert_cleaned(const std::vector<std::string>& before, const CleanUp& how,
                           const std::vector<std::string>& after) {
  const Map original = drawn(before), expected = drawn(after);
  Map map = original;
  Cleaner().clean(map.values.data(), map.width, map.height, .5, how);
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const bool was = original.values[i] >= .5f, wanted = expected.values[i] >= .5f;
    const float value = map.values[i];
    const int x = static_cast<int>(i) % map.width, y = static_cast<int>(i) / map.width;
    ck_assert_msg((value >= .5f) == wanted, "(%d, %d) is %f", x, y, static_cast<double>(value));
    if (was == wanted) ck_assert_float_eq(value, original.values[i]);
    if (was && !wanted) ck_assert_float_ge(value, .4999f);  // just below
    if (!was && wanted) ck_assert_float_le(value, .5001f);
  }
}

START_TEST(test_cleaning_nothing_changes_nothing) {
  assert_cleaned({"#.#", ".#.", "+.+"}, {}, {"#.#", ".#.", "+.+"});
}
END_TEST

START_TEST(test_largest_region_is_kept_and_joined_at_corners) {
  CleanUp how;
  how.largest_only = true;
  assert_cleaned({"###...#",  //
                  "##...#.",  //
                  "....#..",  //
                  "+..#...",  //
                  "+.####."},
                 how,
                 {"......#",  //
                  ".....#.",  //
                  "....#..",  //
                  "...#...",  //
                  "..####."});
}
END_TEST

START_TEST(test_holes_are_filled_but_not_bays) {
  CleanUp how;
  how.fill_holes = true;
  assert_cleaned({".####.....",  //
                  "#....#.##.",  //
                  "#.++.#.#..",  //
                  "#....#.##.",  //
                  ".####....."},
                 how,
                 {".####.....",  //
                  "######.##.",  //
                  "##++##.#..",  //
                  "######.##.",  //
                  ".####....."});
}
END_TEST

START_TEST(test_background_at_the_border_is_no_hole) {
  CleanUp how;
  how.fill_holes = true;
  assert_cleaned({"#.#.", ".###", "#..#", "##.#"}, how, {"#.#.", ".###", "#..#", "##.#"});
}
END_TEST

START_TEST(test_regions_below_the_area_are_dropped) {
  CleanUp how;
  how.min_area = .15;  // of 20: 3 pixels
  assert_cleaned({"##..#", "....#", "....+", "..#.."}, how, {"....#", "....#", "....+", "....."});
  how.min_area = .16;
  assert_cleaned({"##..#", "....#", "....+", "..#.."}, how, {".....", ".....", ".....", "....."});
}
END_TEST

START_TEST(test_mask_of_little_confidence_is_dropped) {
  // 2 sum(p m) / (sum(p) + sum(m)) of the two pixels that reach the threshold: 2.8 / 4.2.
  std::vector<float> map = {.8f, .6f, .4f, .4f};
  CleanUp how;
  how.min_confidence = .66;
  Cleaner().clean(map.data(), 4, 1, .5, how);
  ck_assert(map == std::vector<float>({.8f, .6f, .4f, .4f}));
  how.min_confidence = .67;
  Cleaner().clean(map.data(), 4, 1, .5, how);
  for (const float p : map) ck_assert_float_lt(p, .5f);
  how.largest_only = how.fill_holes = true;
  Cleaner().clean(map.data(), 4, 1, .5, how);  // nothing is left to judge
  for (const float p : map) ck_assert_float_lt(p, .5f);
}
END_TEST

// The island goes as a region of its own, and comes back as a part of the hole it lies in.
START_TEST(test_hole_with_an_island_is_filled_whole) {
  CleanUp how;
  how.largest_only = how.fill_holes = true;
  assert_cleaned({"#####..", "#...#.#", "#.+.#..", "#...#..", "#####.."}, how,
                 {"#####..", "#####..", "##+##..", "#####..", "#####.."});
}
END_TEST

START_TEST(test_empty_and_full_masks_survive_cleaning) {
  CleanUp how;
  how.largest_only = how.fill_holes = true;
  how.min_area = .01;
  assert_cleaned({"...", "..."}, how, {"...", "..."});
  assert_cleaned({"###", "###"}, how, {"###", "###"});
  assert_cleaned({"#"}, how, {"#"});
}
END_TEST

START_TEST(test_one_cleaner_serves_sizes_and_masks_in_turn) {
  CleanUp how;
  how.largest_only = true;
  Cleaner cleaner;
  for (const int size : {40, 3, 17}) {
    Map map = stepped_noise(size, size + 1, static_cast<std::uint32_t>(size)), again = map;
    cleaner.clean(map.values.data(), map.width, map.height, .5, how);
    Cleaner().clean(again.values.data(), map.width, map.height, .5, how);
    ck_assert(map.values == again.values);
  }
}
END_TEST

int main() {
  Suite* suite = suite_create("mask");
  TCase* upsampling = tcase_create("upsampling");
  tcase_add_test(upsampling, test_rows_equal_the_naive_reference);
  tcase_add_test(upsampling, test_enlarged_row_is_as_computed_by_hand);
  tcase_add_test(upsampling, test_runs_are_the_row_where_it_reaches_the_threshold);
  tcase_add_test(upsampling, test_a_probability_on_the_threshold_is_lesion);
  tcase_add_test(upsampling, test_rows_reaching_bounds_the_mask_closely);
  tcase_add_test(upsampling, test_rows_reaching_is_empty_where_nothing_does);
  tcase_add_test(upsampling, test_a_new_source_of_the_same_size_is_seen);
  tcase_add_test(upsampling, test_mask_leaves_the_bytes_between_rows_alone);
  tcase_add_test(upsampling, test_c2_a_mask_too_wide_for_memory_is_reported_and_survived);
  suite_add_tcase(suite, upsampling);
  TCase* cleaning = tcase_create("cleaning");
  tcase_add_test(cleaning, test_cleaning_nothing_changes_nothing);
  tcase_add_test(cleaning, test_largest_region_is_kept_and_joined_at_corners);
  tcase_add_test(cleaning, test_holes_are_filled_but_not_bays);
  tcase_add_test(cleaning, test_background_at_the_border_is_no_hole);
  tcase_add_test(cleaning, test_mask_of_little_confidence_is_dropped);
  tcase_add_test(cleaning, test_regions_below_the_area_are_dropped);
  tcase_add_test(cleaning, test_hole_with_an_island_is_filled_whole);
  tcase_add_test(cleaning, test_empty_and_full_masks_survive_cleaning);
  tcase_add_test(cleaning, test_one_cleaner_serves_sizes_and_masks_in_turn);
  suite_add_tcase(suite, cleaning);
  return run_suite(suite);
}
