// SPDX-License-Identifier: MIT
// Two sets of scores side by side: what is paired, what is refused, and scores read back from CSV.
#include <fstream>
#include <string>
#include <vector>

#include "model/error.h"
#include "trainer/data/dataset.h"
#include "trainer/report/comparison.h"

#include "tests/check.h"
#include "tests/temporary_folder.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

// The message of the Error that `work` throws; it must be of this kind.
template <typename Work>
std::string error_of(Fault fault, Work work) {
  try {
    work();
  } catch (const Error& error) {
    ck_assert_int_eq(static_cast<int>(error.fault()), static_cast<int>(fault));
    return error.what();
  }
  ck_abort_msg("nothing was thrown");
}

void assert_in(const std::string& words, const std::string& text) {
  ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%s", words.c_str(),
                text.c_str());
}

// Images as different from each other as real ones are; `gain` is added to each Dice.
std::vector<ImageResult> results(double gain, int count = 40) {
  std::vector<ImageResult> all;
  for (int i = 0; i < count; ++i) {
    const double dice = 0.3 + 0.6 * (i * 7 % count) / count + gain;
    all.push_back({"image-" + std::to_string(i), dice, dice / (2 - dice)});
  }
  return all;
}

START_TEST(test_a_gain_on_every_image_is_sure_though_images_differ_widely) {
  const Comparison same_gain = compare_results(results(0), "a", results(0.01), "b");
  ck_assert_double_eq_tol(same_gain.dice.difference.mean, 0.01, 1e-9);
  ck_assert_double_eq_tol(same_gain.dice.difference.low, 0.01, 1e-9);
  ck_assert_double_eq_tol(same_gain.dice.difference.high, 0.01, 1e-9);
  ck_assert_double_eq(same_gain.dice.b_ahead, 1);
  ck_assert_double_gt(same_gain.dice.a.high - same_gain.dice.a.low, 0.05);
  ck_assert_uint_eq(same_gain.b_wins, 40);
  ck_assert_uint_eq(same_gain.a_wins, 0);
}
END_TEST

START_TEST(test_a_gain_on_half_of_the_images_and_as_large_a_loss_is_no_difference) {
  std::vector<ImageResult> b = results(0);
  for (std::size_t i = 0; i < b.size(); ++i) b[i].dice += i % 2 == 0 ? 0.02 : -0.02;
  b[1].dice += 0.01;
  const Comparison comparison = compare_results(results(0), "a", b, "b");
  ck_assert_double_lt(comparison.dice.difference.low, 0);
  ck_assert_double_gt(comparison.dice.difference.high, 0);
  ck_assert_double_gt(comparison.dice.b_ahead, 0.3);
  ck_assert_double_lt(comparison.dice.b_ahead, 0.7);
  ck_assert_uint_eq(comparison.b_wins, 20);
  ck_assert_uint_eq(comparison.a_wins, 20);
}
END_TEST

START_TEST(test_identical_sets_are_equal_everywhere) {
  const Comparison comparison = compare_results(results(0), "a", results(0), "b");
  ck_assert_double_eq(comparison.dice.difference.high, 0);
  ck_assert_double_eq(comparison.jaccard.b_ahead, 0);
  const std::string text = to_text(comparison);
  assert_in("of 40 images B has the higher Dice on 0, A on 0, and 40 are equal", text);
  assert_in("largest gains from A to B, Dice:\n  none\n", text);
  assert_in("largest losses:\n  none\n", text);
}
END_TEST

START_TEST(test_images_are_matched_by_id_and_the_largest_differences_named_first) {
  std::vector<ImageResult> b = results(0);
  std::reverse(b.begin(), b.end());  // image-39 is the first
  b[0].dice += 0.05;
  b[1].dice += 0.2;
  b[2].dice -= 0.1;
  const std::string text = to_text(compare_results(results(0), "a", b, "b"), 1);
  assert_in("B has the higher Dice on 2, A on 1, and 37 are equal", text);
  const std::size_t gains = text.find("largest gains"), losses = text.find("largest losses");
  ck_assert_uint_lt(text.find("image-38"), losses);
  ck_assert_uint_gt(text.find("image-38"), gains);
  ck_assert_uint_gt(text.find("image-37"), losses);
  ck_assert_uint_eq(text.find("image-39"), std::string::npos);  // only one was asked for
}
END_TEST

START_TEST(test_sets_of_other_images_are_refused_by_name) {
  std::vector<ImageResult> b = results(0);
  b.erase(b.begin() + 3);
  b.push_back({"stranger", 0.5, 0.4});
  const std::string message =
      error_of(Fault::settings, [&] { compare_results(results(0), "first.csv", b, "second.csv"); });
  assert_in("first.csv alone has image-3;", message);
  assert_in("second.csv alone has stranger", message);
  const std::string many = error_of(Fault::settings, [&] {
    compare_results(results(0, 20), "first.csv", results(0, 8), "second.csv");
  });
  assert_in("and 7 more", many);
  b = results(0);
  b.push_back(b.front());
  assert_in("second.csv has image-0 twice", error_of(Fault::settings, [&] {
              compare_results(results(0), "first.csv", b, "second.csv");
            }));
}
END_TEST

START_TEST(test_scores_come_back_from_their_csv) {
  std::vector<ImageScore> scores(2);
  scores[0] = {"a,\"b\"\nc", 4, 2, {1, 1, 1, 5}};
  scores[1] = {"plain", 4, 2, {2, 0, 0, 6}};
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/scores.csv";
  std::ofstream(file) << to_csv(scores);
  const std::vector<ImageResult> results = read_results(file);
  ck_assert_uint_eq(results.size(), 2);
  ck_assert_str_eq(results[0].id.c_str(), "a,\"b\"\nc");
  ck_assert_double_eq_tol(results[0].dice, 0.5, 1e-6);
  ck_assert_double_eq_tol(results[0].jaccard, 1.0 / 3, 1e-6);
  ck_assert_double_eq(results[1].dice, 1);
}
END_TEST

START_TEST(test_files_that_are_no_scores_are_refused) {
  const struct {
    const char *text, *words;
  } cases[] = {{"id,dice,jaccard\n", "holds no scores"},
               {"id,dice\nx,0.5\n", "has no column \"jaccard\""},
               {"id,dice,jaccard\nx,0.5,half\n", ":2: has 'half' for jaccard"},
               {"id,dice,jaccard\nx,0.5,nan\n", ":2: has 'nan' for jaccard"},
               {"id,dice,jaccard\nx,1.5,0.5\n", ":2: has '1.5' for dice"}};
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/scores.csv";
  for (const auto& c : cases) {
    std::ofstream(file) << c.text;
    try {
      read_results(file);
      ck_abort_msg("%s was taken", c.text);
    } catch (const DataError& error) {
      ck_assert_uint_eq(error.faults().size(), 1);
      assert_in(file, error.faults()[0]);
      assert_in(c.words, error.faults()[0]);
    }
  }
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("comparison");
  TCase* tests = tcase_create("comparison");
  tcase_add_test(tests, test_a_gain_on_every_image_is_sure_though_images_differ_widely);
  tcase_add_test(tests, test_a_gain_on_half_of_the_images_and_as_large_a_loss_is_no_difference);
  tcase_add_test(tests, test_identical_sets_are_equal_everywhere);
  tcase_add_test(tests, test_images_are_matched_by_id_and_the_largest_differences_named_first);
  tcase_add_test(tests, test_sets_of_other_images_are_refused_by_name);
  tcase_add_test(tests, test_scores_come_back_from_their_csv);
  tcase_add_test(tests, test_files_that_are_no_scores_are_refused);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
