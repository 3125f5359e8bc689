// SPDX-License-Identifier: MIT
// Scores by hand, and progress as a log file and a terminal see it.
#include <cmath>
#include <cstdio>

#include "trainer/report/progress.h"
#include "trainer/report/score.h"
#include "trainer/report/score_csv.h"
#include "trainer/report/threshold_table.h"

#include "tests/check.h"

using namespace unetseg::trainer;

namespace {

Confusion confusion(std::uint64_t tp, std::uint64_t fp, std::uint64_t fn, std::uint64_t tn) {
  Confusion c;
  c.tp = tp;
  c.fp = fp;
  c.fn = fn;
  c.tn = tn;
  return c;
}

START_TEST(test_scores_follow_their_definitions) {
  const std::uint8_t prediction[] = {255, 255, 255, 0, 0, 0, 128, 127};
  const std::uint8_t truth[] = {255, 255, 0, 255, 0, 0, 200, 0};
  const Confusion c = compare(prediction, truth, 8);
  ck_assert_uint_eq(c.tp, 3);
  ck_assert_uint_eq(c.fp, 1);
  ck_assert_uint_eq(c.fn, 1);
  ck_assert_uint_eq(c.tn, 3);
  ck_assert_double_eq_tol(c.dice(), 0.75, 1e-12);
  ck_assert_double_eq_tol(c.jaccard(), 0.6, 1e-12);
  ck_assert_double_eq_tol(c.sensitivity(), 0.75, 1e-12);
  ck_assert_double_eq_tol(c.specificity(), 0.75, 1e-12);
  ck_assert_double_eq_tol(c.accuracy(), 0.75, 1e-12);
}
END_TEST

START_TEST(test_t7_two_empty_masks_agree) {
  const Confusion empty = confusion(0, 0, 0, 9), missed = confusion(0, 0, 4, 5),
                  invented = confusion(0, 4, 0, 5);
  ck_assert_double_eq(empty.dice(), 1);
  ck_assert_double_eq(empty.jaccard(), 1);
  ck_assert_double_eq(empty.sensitivity(), 1);
  ck_assert_double_eq(missed.dice(), 0);
  ck_assert_double_eq(invented.jaccard(), 0);
  ck_assert_double_eq(confusion(9, 0, 0, 0).specificity(), 1);
}
END_TEST

START_TEST(test_summary_tells_means_from_pooled_and_brackets_them) {
  // Dice 1 on a small lesion, 0.5 on a large one.
  const std::vector<ImageScore> scores = {{"small", 10, 10, confusion(10, 0, 0, 90)},
                                          {"large", 10, 10, confusion(30, 30, 30, 10)}};
  const Summary summary = summarise(scores);
  ck_assert_uint_eq(summary.n, 2);
  ck_assert_double_eq_tol(summary.dice.mean, 0.75, 1e-12);
  ck_assert_double_eq_tol(summary.median_dice, 0.75, 1e-12);
  ck_assert_double_eq_tol(summary.pooled.dice(), 80.0 / 140, 1e-12);
  ck_assert_double_eq_tol(summary.dice.low, 0.5, 1e-12);
  ck_assert_double_eq_tol(summary.dice.high, 1, 1e-12);
  // Jaccard 1 counts, 1/3 does not.
  ck_assert_double_eq_tol(summary.thresholded_jaccard, 0.5, 1e-12);
  ck_assert_double_eq(summary.below_half, 0);
  const std::string text = to_text(summary, "native size", 0.5);
  for (const char* words : {"n = 2 images", "native size", "0.7500", "0.5000 to 1.0000", "0.5714"})
    ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%s", words,
                  text.c_str());
}
END_TEST

START_TEST(test_csv_quotes_what_needs_it) {
  const std::string csv = to_csv({{"a,\"b\"", 4, 2, confusion(1, 0, 0, 7)}});
  ck_assert_msg(csv.find("\n\"a,\"\"b\"\"\",4,2,1.000000,") != std::string::npos, "%s",
                csv.c_str());
}
END_TEST

START_TEST(test_csv_leaves_blank_what_was_not_measured) {
  ImageScore score;
  score.id = "one";
  score.confidence = 0.5;
  const std::string csv = to_csv({score});
  for (const char* words : {",hd95_of_diagonal,confidence,milliseconds\none,", ",,0.500000,\n"})
    ck_assert_msg(csv.find(words) != std::string::npos, "'%s' is not in:\n%s", words, csv.c_str());
}
END_TEST

// Scores of one image of 100 pixels under several thresholds.
ThresholdScores tried(double threshold, std::uint64_t tp) {
  return {threshold, {{"image", 10, 10, confusion(tp, 10 - tp, 10 - tp, 80 + tp)}}};
}

START_TEST(test_threshold_with_the_best_dice_wins_and_of_equals_the_middle_one) {
  ck_assert_double_eq(best_of({tried(0.3, 5), tried(0.45, 8), tried(0.5, 7)}).threshold, 0.45);
  ck_assert_double_eq(best_of({tried(0.3, 8), tried(0.45, 8), tried(0.6, 8)}).threshold, 0.45);
  const std::string text = to_text({tried(0.45, 8), tried(0.5, 7)}, 0.5, "some images");
  for (const char* words :
       {"0.45          0.8000        0.6667           0  best\n", "best is 0.45: mean Dice +0.1000",
        "over 0.5 (paired", "tuned on some images, n = 1: the score there is optimistic"})
    ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%s", words,
                  text.c_str());
}
END_TEST

START_TEST(test_thresholds_to_try_are_coarse_and_hold_the_weights_own) {
  const std::vector<double> grid = thresholds_to_try(0.5);
  ck_assert_uint_eq(grid.size(), 9);
  ck_assert_double_eq(grid.front(), 0.3);
  ck_assert_double_eq(grid.back(), 0.7);
  const std::vector<double> with_own = thresholds_to_try(0.42);
  ck_assert_uint_eq(with_own.size(), 10);
  ck_assert_double_eq(with_own[3], 0.42);
}
END_TEST

// A stream that is no terminal, and a clock that only the test moves.
struct Log {
  Log() : file(std::tmpfile()) {}
  ~Log() { std::fclose(file); }
  ProgressLine::Output output() {
    return {file, [this] { return seconds; }, {}};
  }
  std::string text() {
    std::string text(static_cast<std::size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    ck_assert_uint_eq(std::fread(text.data(), 1, text.size(), file), text.size());
    return text;
  }
  std::FILE* file;
  double seconds = 1000;
};

START_TEST(test_log_gets_an_early_estimate_and_few_lines_over_hours) {
  Log log;
  {
    ProgressLine line("training", false, log.output());
    for (int step = 1; step <= 14400; ++step) {  // two hours, two steps a second
      log.seconds += 0.5;
      line.update(static_cast<std::size_t>(step), 14400, "loss 0.5");
    }
    line.finish();
  }
  const std::string text = log.text();
  const auto lines = std::count(text.begin(), text.end(), '\n');
  ck_assert_int_gt(lines, 10);
  ck_assert_int_lt(lines, 30);
  ck_assert_uint_eq(text.find('\r'), std::string::npos);
  ck_assert_uint_eq(text.find('\033'), std::string::npos);
  const std::string first = text.substr(0, text.find('\n'));
  ck_assert_str_eq(first.c_str(), "training    0 %  20/14400  loss 0.5  2.0/s  1:59:50 left");
}
END_TEST

START_TEST(test_quiet_line_prints_what_stays_alone) {
  Log log;
  {
    ProgressLine line("training", true, log.output());
    log.seconds += 100;
    line.update(50, 100);
    line.print("epoch 1");
  }
  ck_assert_str_eq(log.text().c_str(), "epoch 1\n");
}
END_TEST

START_TEST(test_rate_forgets_what_was_done_before_and_long_ago) {
  RateMeter meter;
  meter.add(0, 5000);  // a resumed job
  ck_assert_double_eq(meter.rate(), 0);
  for (int second = 1; second <= 100; ++second) meter.add(second, 5000 + 10 * second);
  ck_assert_double_eq_tol(meter.rate(), 10, 1e-6);
  for (int second = 1; second <= 600; ++second) meter.add(100 + second, 6000 + second);
  ck_assert_double_eq_tol(meter.rate(), 1, 0.01);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("report");
  TCase* tests = tcase_create("report");
  tcase_add_test(tests, test_scores_follow_their_definitions);
  tcase_add_test(tests, test_t7_two_empty_masks_agree);
  tcase_add_test(tests, test_summary_tells_means_from_pooled_and_brackets_them);
  tcase_add_test(tests, test_csv_quotes_what_needs_it);
  tcase_add_test(tests, test_csv_leaves_blank_what_was_not_measured);
  tcase_add_test(tests, test_threshold_with_the_best_dice_wins_and_of_equals_the_middle_one);
  tcase_add_test(tests, test_thresholds_to_try_are_coarse_and_hold_the_weights_own);
  tcase_add_test(tests, test_log_gets_an_early_estimate_and_few_lines_over_hours);
  tcase_add_test(tests, test_quiet_line_prints_what_stays_alone);
  tcase_add_test(tests, test_rate_forgets_what_was_done_before_and_long_ago);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
