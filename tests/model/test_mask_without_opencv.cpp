// SPDX-License-Identifier: MIT
// The cleaner of a build without OpenCV, tested in every build.
#include "model/mask/mask.h"

#include "model/error.h"

#include "tests/check.h"

using namespace unetseg;

START_TEST(test_asking_for_nothing_changes_nothing) {
  float p[4] = {.1f, .9f, .5f, 0};
  Cleaner().clean(p, 2, 2, .5, {});
  ck_assert_float_eq(p[0], .1f);
  ck_assert_float_eq(p[1], .9f);
  ck_assert_float_eq(p[2], .5f);
  ck_assert_float_eq(p[3], 0);
}
END_TEST

START_TEST(test_asking_for_anything_is_a_settings_error) {
  CleanUp largest, holes, area;
  largest.largest_only = holes.fill_holes = true;
  area.min_area = .001;
  for (const CleanUp& how : {largest, holes, area}) {
    float p = 1;
    bool refused = false;
    try {
      Cleaner().clean(&p, 1, 1, .5, how);
    } catch (const Error& e) {
      refused = e.fault() == Fault::settings;
    }
    ck_assert(refused);
    ck_assert_float_eq(p, 1);
  }
}
END_TEST

START_TEST(test_mask_of_little_confidence_is_dropped) {
  float p[] = {.8f, .6f, .4f, .4f};  // 2.8 / 4.2 for the two that reach the threshold
  CleanUp how;
  how.min_confidence = .66;
  Cleaner().clean(p, 4, 1, .5, how);
  ck_assert_float_eq(p[0], .8f);
  how.min_confidence = .67;
  Cleaner().clean(p, 4, 1, .5, how);
  for (const float value : p) ck_assert_float_lt(value, .5f);
}
END_TEST

int main() {
  Suite* suite = suite_create("mask without OpenCV");
  TCase* tests = tcase_create("cleaning");
  tcase_add_test(tests, test_asking_for_nothing_changes_nothing);
  tcase_add_test(tests, test_asking_for_anything_is_a_settings_error);
  tcase_add_test(tests, test_mask_of_little_confidence_is_dropped);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
