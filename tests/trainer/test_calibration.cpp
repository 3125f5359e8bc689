// SPDX-License-Identifier: MIT
// Ranks, bins of confidence, probabilities against shares, and distances between borders.
#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/report/boundary_distance.h"
#include "trainer/report/calibration.h"
#include "trainer/report/score_report.h"

#include "tests/check.h"

using namespace unetseg::trainer;

namespace {

void assert_in(const std::string& words, const std::string& text) {
  ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%s", words.c_str(),
                text.c_str());
}

START_TEST(test_rank_correlation_sees_order_alone) {
  const std::vector<double> rising = {0.1, 0.2, 0.3, 0.9, 0.95}, squares = {1, 4, 9, 81, 90};
  ck_assert_double_eq_tol(rank_correlation(rising, squares).mean, 1, 1e-12);
  const std::vector<double> falling(squares.rbegin(), squares.rend());
  ck_assert_double_eq_tol(rank_correlation(rising, falling).mean, -1, 1e-12);
  // By hand: ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4.
  const Interval ties = rank_correlation({1, 2, 2, 3}, {1, 2, 3, 4});
  ck_assert_double_eq_tol(ties.mean, 4.5 / std::sqrt(4.5 * 5), 1e-12);
  ck_assert_double_le(ties.low, ties.mean);
  ck_assert_double_ge(ties.high, ties.mean);
  ck_assert(std::isnan(rank_correlation({1, 1, 1}, {1, 2, 3}).mean));
  ck_assert(std::isnan(rank_correlation({}, {}).mean));
}
END_TEST

START_TEST(test_confidence_bins_have_equal_counts_in_order_of_confidence) {
  std::vector<double> confidence, dice;
  for (int i = 0; i < 50; ++i) {
    confidence.push_back(i * 7 % 50 / 50.0);
    dice.push_back(confidence.back() / 2);
  }
  const std::vector<ConfidenceBin> bins = confidence_bins(confidence, dice);
  ck_assert_uint_eq(bins.size(), 5);
  for (std::size_t i = 0; i < bins.size(); ++i) {
    ck_assert_uint_eq(bins[i].images, 10);
    ck_assert_double_eq_tol(bins[i].confidence, 0.2 * static_cast<double>(i) + 0.09, 1e-12);
    ck_assert_double_eq_tol(bins[i].dice, bins[i].confidence / 2, 1e-12);
  }
  ck_assert_uint_eq(confidence_bins({0.5, 0.4}, {1, 1}).size(), 2);
  ck_assert_uint_eq(confidence_bins({}, {}).size(), 0);
}
END_TEST

START_TEST(test_expected_calibration_error_is_the_mean_distance_from_the_share) {
  PixelCalibration pixels;
  ck_assert(std::isnan(pixels.expected_error()));
  // Half of them at 0.25, of which a quarter is lesion; half at 1, of which a half is.
  const std::vector<float> probabilities = {0.25f, 0.25f, 0.25f, 0.25f, 1, 1, 1, 1};
  const std::vector<std::uint8_t> truth = {0, 0, 255, 0, 255, 0, 255, 0};
  pixels.add(probabilities.data(), truth.data(), 8);
  ck_assert_double_eq_tol(pixels.expected_error(), 0.25, 1e-12);
  ck_assert_uint_eq(pixels.bins()[2].pixels, 4);
  ck_assert_double_eq(pixels.bins()[9].lesion_share(), 0.5);
}
END_TEST

// A rectangle of 255 in a picture of `width` x `height`.
std::vector<std::uint8_t> rectangle(int width, int height, int left, int top, int right,
                                    int bottom) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(width * height));
  for (int y = top; y < bottom; ++y)
    for (int x = left; x < right; ++x) mask[static_cast<std::size_t>(y * width + x)] = 255;
  return mask;
}

START_TEST(test_border_distance_is_that_of_the_95th_percentile_over_the_diagonal) {
  constexpr int kWidth = 400, kHeight = 300;  // the diagonal has 500
  const auto square = rectangle(kWidth, kHeight, 100, 100, 200, 200);
  const auto distance = [&](const std::vector<std::uint8_t>& other) {
    return boundary_distance(square.data(), other.data(), kWidth, kHeight);
  };
  ck_assert_double_eq(distance(square), 0);
  ck_assert_double_eq_tol(distance(rectangle(kWidth, kHeight, 100, 100, 210, 200)), 10.0 / 500,
                          1e-6);
  // Far pixels, but fewer than one in twenty of the border, do not count.
  auto speck = square;
  speck[static_cast<std::size_t>(280 * kWidth + 380)] = 255;
  ck_assert_double_eq(distance(speck), 0);
  ck_assert(std::isnan(distance(rectangle(kWidth, kHeight, 0, 0, 0, 0))));
  // A lesion that fills the picture has the picture's edge for a border.
  const auto all = rectangle(kWidth, kHeight, 0, 0, kWidth, kHeight),
             most = rectangle(kWidth, kHeight, 0, 0, kWidth - 10, kHeight);
  ck_assert_double_eq_tol(boundary_distance(all.data(), most.data(), kWidth, kHeight), 10.0 / 500,
                          1e-6);
}
END_TEST

ScoreReport report() {
  ScoreReport report;
  report.resolution = "native size";
  report.images.resize(2);
  report.images[0] = {"one", 10, 10, {10, 0, 0, 90}, 0.25, 0.9, 40};
  report.images[1] = {"two", 10, 10, {0, 0, 10, 90}};
  return report;
}

START_TEST(test_summary_as_json_has_intervals_and_null_for_what_is_not_known) {
  ScoreReport scores = report();
  const std::string existing = to_json(scores);
  for (const char* words :
       {"\"n\": 2,", "\"resolution\": \"native size\"", "\"threshold\": 0.5", "\"weights\": null",
        "\"mean\": 0.5,", "\"low\": 0.0,", "\"high\": 1.0", "\"hd95_of_diagonal\": 0.25,",
        "\"hd95_images\": 1,", "\"milliseconds\": 40.0"})
    assert_in(words, existing);
  scores.weights = "f.safetensors";
  scores.weights_sha256 = "abc";
  scores.calibration = {rank_correlation({1, 1}, {1, 2}), {}, {}};
  const std::string of_weights = to_json(scores);
  assert_in("\"file\": \"f.safetensors\",\n    \"sha256\": \"abc\"", of_weights);
  assert_in("\"expected_calibration_error\": null", of_weights);
  ck_assert_uint_eq(of_weights.find("nan"), std::string::npos);
}
END_TEST

START_TEST(test_augmentation_is_reported_beside_the_plain_score) {
  ScoreReport scores = report();
  std::vector<ImageScore> plain = scores.images;
  plain[0].confusion = {10, 10, 0, 80};
  scores.augmentation = "flips";
  scores.gain = augmentation_gain(plain, scores.images);
  const std::string text = to_text(scores);
  assert_in("plain Dice              0.3333  with --tta flips: +0.1667, paired", text);
  assert_in("mean HD95               0.2500  of the picture's diagonal (1 of 2 have both masks)",
            text);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("calibration");
  TCase* tests = tcase_create("calibration");
  tcase_add_test(tests, test_rank_correlation_sees_order_alone);
  tcase_add_test(tests, test_confidence_bins_have_equal_counts_in_order_of_confidence);
  tcase_add_test(tests, test_expected_calibration_error_is_the_mean_distance_from_the_share);
  tcase_add_test(tests, test_border_distance_is_that_of_the_95th_percentile_over_the_diagonal);
  tcase_add_test(tests, test_summary_as_json_has_intervals_and_null_for_what_is_not_known);
  tcase_add_test(tests, test_augmentation_is_reported_beside_the_plain_score);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
