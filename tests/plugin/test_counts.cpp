// SPDX-License-Identifier: MIT
// Statistics, and the policy about faulty frames.
#include "plugin/fault_policy.h"
#include "plugin/pointers.h"
#include "plugin/statistics.h"

#include "tests/check.h"

using namespace unetseg;
using Answer = FaultPolicy::Answer;

START_TEST(test_percentiles_are_the_nearest_rank) {
  Statistics statistics;
  ck_assert_uint_eq(statistics.inference_time(.5), 0);
  statistics.add_inference_time(7);
  for (const double share : {0.0, .5, 1.0}) ck_assert_uint_eq(statistics.inference_time(share), 7);
  statistics.reset();
  for (guint64 i = 100; i > 0; --i) statistics.add_inference_time(i);
  ck_assert_uint_eq(statistics.inference_time(0), 1);
  ck_assert_uint_eq(statistics.inference_time(.5), 50);
  ck_assert_uint_eq(statistics.inference_time(.95), 95);
  ck_assert_uint_eq(statistics.inference_time(.99), 99);
  ck_assert_uint_eq(statistics.inference_time(1), 100);
}
END_TEST

START_TEST(test_the_structures_percentiles_are_those_of_all_times) {
  Statistics statistics;
  for (guint64 i = 0; i < 100; ++i) statistics.add_inference_time(37 * i % 100 + 1);
  for (int again = 0; again < 2; ++again) {
    const StructurePtr structure(statistics.structure());
    const std::pair<const char*, guint64> fields[] = {
        {"inference-time-median", 50}, {"inference-time-p95", 95}, {"inference-time-p99", 99}};
    for (const auto& field : fields) {
      guint64 value = 0;
      ck_assert(gst_structure_get_uint64(structure.get(), field.first, &value));
      ck_assert_uint_eq(value, field.second);
    }
  }
}
END_TEST

START_TEST(test_percentiles_are_of_the_newest_512_times) {
  Statistics statistics;
  for (int i = 0; i < 1000; ++i) statistics.add_inference_time(1000000);
  for (int i = 0; i < 511; ++i) statistics.add_inference_time(1);
  ck_assert_uint_eq(statistics.inference_time(.5), 1);
  ck_assert_uint_eq(statistics.inference_time(1), 1000000);
  statistics.add_inference_time(1);
  ck_assert_uint_eq(statistics.inference_time(1), 1);
  ck_assert_uint_eq(statistics.timed_inferences(), 1512);
  statistics.forget_times();  // another model
  ck_assert_uint_eq(statistics.timed_inferences(), 0);
  statistics.add_inference_time(7);
  ck_assert_uint_eq(statistics.inference_time(0.95), 7);
}
END_TEST

START_TEST(test_counts_add_up_to_frames) {
  Statistics statistics;
  const std::pair<Outcome, guint64> counts[] = {
      {Outcome::inferred, 5}, {Outcome::held, 4}, {Outcome::gap, 3}, {Outcome::faulty, 2}};
  for (const auto& c : counts)
    for (guint64 i = 0; i < c.second; ++i) statistics.count(c.first);
  const StructurePtr structure(statistics.structure());
  const std::pair<const char*, guint64> fields[] = {
      {"inferred", 5}, {"held", 4}, {"gaps", 3}, {"faulty", 2}, {"frames", 14}};
  for (const auto& field : fields) {
    guint64 value = 0;
    ck_assert(gst_structure_get_uint64(structure.get(), field.first, &value));
    ck_assert_msg(value == field.second, "%s", field.first);
  }
}
END_TEST

START_TEST(test_mask_ages_are_the_last_and_the_largest) {
  Statistics statistics;
  const auto assert_ages = [&](guint64 age, guint64 most) {
    const StructurePtr structure(statistics.structure());
    guint64 value = 0;
    ck_assert(gst_structure_get_uint64(structure.get(), "mask-age", &value) && value == age);
    ck_assert(gst_structure_get_uint64(structure.get(), "mask-age-max", &value) && value == most);
  };
  assert_ages(0, 0);
  for (const guint64 age : {5, 9, 2}) statistics.add_mask_age(age);
  assert_ages(2, 9);
  statistics.reset();
  assert_ages(0, 0);
}
END_TEST

START_TEST(test_the_thirtieth_faulty_frame_in_a_row_ends_it) {
  FaultPolicy policy;
  for (int i = 0; i < 29; ++i)
    ck_assert(policy.faulty_frame(FrameFault::result, true, 0) != Answer::give_up);
  policy.good_frame();
  for (int i = 0; i < 29; ++i)
    ck_assert(policy.faulty_frame(i % 2 ? FrameFault::result : FrameFault::format, true, 0) !=
              Answer::give_up);
  ck_assert(policy.faulty_frame(FrameFault::format, true, 0) == Answer::give_up);
}
END_TEST

START_TEST(test_no_faulty_frame_passes_where_none_may) {
  FaultPolicy policy;
  ck_assert(policy.faulty_frame(FrameFault::format, false, 0) == Answer::give_up);
}
END_TEST

START_TEST(test_each_kind_warns_once_a_second) {
  FaultPolicy policy;
  const gint64 start = 1234567;
  const auto answer = [&](FrameFault kind, gint64 after) {
    return policy.faulty_frame(kind, true, start + after);
  };
  ck_assert(answer(FrameFault::result, 0) == Answer::pass_and_warn);
  ck_assert(answer(FrameFault::result, 0) == Answer::pass);
  ck_assert(answer(FrameFault::format, 1) == Answer::pass_and_warn);
  ck_assert(answer(FrameFault::result, 999999) == Answer::pass);
  ck_assert(answer(FrameFault::result, 1000000) == Answer::pass_and_warn);
  ck_assert(answer(FrameFault::result, 1000001) == Answer::pass);
  ck_assert(answer(FrameFault::format, 1000001) == Answer::pass_and_warn);
}
END_TEST

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  Suite* suite = suite_create("counts");
  TCase* tests = tcase_create("statistics and faults");
  tcase_add_test(tests, test_percentiles_are_the_nearest_rank);
  tcase_add_test(tests, test_the_structures_percentiles_are_those_of_all_times);
  tcase_add_test(tests, test_percentiles_are_of_the_newest_512_times);
  tcase_add_test(tests, test_counts_add_up_to_frames);
  tcase_add_test(tests, test_mask_ages_are_the_last_and_the_largest);
  tcase_add_test(tests, test_the_thirtieth_faulty_frame_in_a_row_ends_it);
  tcase_add_test(tests, test_no_faulty_frame_passes_where_none_may);
  tcase_add_test(tests, test_each_kind_warns_once_a_second);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
