// SPDX-License-Identifier: MIT
#include "model/engine/cuda/recent_batches.h"

#include <stdexcept>
#include <string>

#include "tests/check.h"

using unetseg::cuda::RecentBatches;

namespace {

// What is prepared for a size says how often anything was.
struct Sizes {
  int at(int size) {
    return recent.at(size, [this] { return ++prepared; });
  }
  RecentBatches<int> recent;
  int prepared = 0;
};

START_TEST(test_a_size_is_prepared_once) {
  Sizes sizes;
  ck_assert_int_eq(sizes.at(1), 1);
  ck_assert_int_eq(sizes.at(8), 2);
  ck_assert_int_eq(sizes.at(1), 1);
  ck_assert_int_eq(sizes.at(8), 2);
  sizes.recent.clear();
  ck_assert_int_eq(sizes.at(1), 3);
}
END_TEST

START_TEST(test_what_was_not_used_for_longest_gives_way) {
  Sizes sizes;
  const int most = static_cast<int>(RecentBatches<int>::kMost);
  for (int size = 1; size <= most; ++size) sizes.at(size);
  sizes.at(1);
  sizes.at(most + 1);  // in place of 2
  ck_assert_uint_eq(sizes.recent.size(), RecentBatches<int>::kMost);
  ck_assert_int_eq(sizes.at(1), 1);
  ck_assert_int_eq(sizes.at(3), 3);
  ck_assert_int_eq(sizes.at(2), most + 2);
}
END_TEST

START_TEST(test_a_size_that_could_not_be_prepared_is_tried_again) {
  RecentBatches<int> recent;
  bool failed = false;
  try {
    recent.at(3, []() -> int { throw std::runtime_error("no memory"); });
  } catch (const std::runtime_error&) {
    failed = true;
  }
  ck_assert(failed);
  ck_assert_uint_eq(recent.size(), 0);
  ck_assert_int_eq(recent.at(3, [] { return 7; }), 7);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("recent batches");
  TCase* tests = tcase_create("sizes");
  tcase_add_test(tests, test_a_size_is_prepared_once);
  tcase_add_test(tests, test_what_was_not_used_for_longest_gives_way);
  tcase_add_test(tests, test_a_size_that_could_not_be_prepared_is_tried_again);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
