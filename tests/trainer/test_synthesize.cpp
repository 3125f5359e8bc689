// SPDX-License-Identifier: MIT
// Painted scenes: the same every time and at every size, with masks that belong to the picture.
#include "trainer/synthesize/lesion_scene.h"

#include <cmath>

#include "model/error.h"

#include "tests/check.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

constexpr int kWidth = 160, kHeight = 120;

LesionScene scene(std::uint64_t seed, int scale = 1, bool moving = false) {
  SceneOptions options;
  options.width = scale * kWidth;
  options.height = scale * kHeight;
  options.seed = seed;
  options.moving = moving;
  return LesionScene(options);
}

std::size_t lesion_pixels(const Image& mask) {
  return static_cast<std::size_t>(std::count(mask.pixels.begin(), mask.pixels.end(), 255));
}

// Pixels of the mask that hang together with its first one, by sides.
std::size_t first_region(Image mask) {
  const auto first = std::find(mask.pixels.begin(), mask.pixels.end(), 255);
  std::vector<int> open{static_cast<int>(first - mask.pixels.begin())};
  std::size_t found = 0;
  while (!open.empty()) {
    const int i = open.back(), x = i % mask.width, y = i / mask.width;
    open.pop_back();
    if (mask.pixels[i] == 0) continue;
    mask.pixels[i] = 0;
    ++found;
    if (x > 0) open.push_back(i - 1);
    if (x + 1 < mask.width) open.push_back(i + 1);
    if (y > 0) open.push_back(i - mask.width);
    if (y + 1 < mask.height) open.push_back(i + mask.width);
  }
  return found;
}

// How much brighter skin is than what a mask calls lesion. A rim around the view is black.
double contrast(const Image& picture, const Image& mask) {
  constexpr int kRim = 60;
  double sum[2] = {0, 0}, count[2] = {0, 0};
  for (std::size_t i = 0; i < mask.pixels.size(); ++i) {
    const bool lesion = mask.pixels[i] != 0;
    if (!lesion && picture.pixels[3 * i + 1] < kRim) continue;
    sum[lesion] += picture.pixels[3 * i + 1];
    ++count[lesion];
  }
  return sum[0] / count[0] - sum[1] / count[1];
}

double centre_x(const Image& mask) {
  double sum = 0;
  for (std::size_t i = 0; i < mask.pixels.size(); ++i)
    if (mask.pixels[i] != 0) sum += static_cast<double>(i % mask.width);
  return sum / static_cast<double>(lesion_pixels(mask));
}

START_TEST(test_same_seed_paints_the_same_bytes) {
  const SceneFrame a = scene(3).still(), b = scene(3).still(), other = scene(4).still();
  ck_assert(a.picture.pixels == b.picture.pixels);
  ck_assert(a.mask.pixels == b.mask.pixels);
  ck_assert(a.picture.pixels != other.picture.pixels);
  ck_assert(a.mask.pixels != other.mask.pixels);
}
END_TEST

START_TEST(test_mask_is_binary_and_one_region_of_reasonable_size) {
  const SceneFrame frame = scene(static_cast<std::uint64_t>(_i)).still();
  ck_assert_int_eq(frame.picture.channels, 3);
  ck_assert_int_eq(frame.mask.channels, 1);
  ck_assert_uint_eq(frame.mask.pixels.size(), kWidth * kHeight);
  ck_assert_uint_eq(frame.picture.pixels.size(), 3 * kWidth * kHeight);
  for (const std::uint8_t pixel : frame.mask.pixels) ck_assert(pixel == 0 || pixel == 255);
  const std::size_t lesion = lesion_pixels(frame.mask);
  ck_assert_uint_gt(lesion, kWidth * kHeight / 100);
  ck_assert_uint_lt(lesion, kWidth * kHeight * 9 / 10);
  ck_assert_uint_eq(first_region(frame.mask), lesion);
}
END_TEST

START_TEST(test_lesions_are_darker_than_the_skin_around_them) {
  for (std::uint64_t seed = 20; seed < 30; ++seed) {
    const SceneFrame frame = scene(seed).still();
    ck_assert_double_gt(contrast(frame.picture, frame.mask), 8);
  }
}
END_TEST

START_TEST(test_the_same_scene_at_two_sizes) {
  const SceneFrame small = scene(5).still(), large = scene(5, 2).still();
  std::size_t differing = 0;
  double difference = 0;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      int covered = 0, green = 0;
      for (const int i : {2 * y * 2 * kWidth + 2 * x, (2 * y + 1) * 2 * kWidth + 2 * x})
        for (const int j : {i, i + 1}) {
          covered += large.mask.pixels[j] != 0;
          green += large.picture.pixels[3 * j + 1];
        }
      const int i = y * kWidth + x;
      const bool lesion = small.mask.pixels[i] != 0;
      differing += lesion ? covered == 0 : covered == 4;
      difference += std::abs(green / 4.0 - small.picture.pixels[3 * i + 1]);
    }
  // The finest structures are there in the larger picture alone.
  ck_assert_uint_lt(differing, kWidth * kHeight / 500);
  ck_assert_double_lt(difference / (kWidth * kHeight), 5);
}
END_TEST

START_TEST(test_a_still_does_not_depend_on_what_is_painted_around_it) {
  const SceneFrame alone = scene(6).still(), surrounded = scene(6, 1, true).still();
  ck_assert(alone.mask.pixels == surrounded.mask.pixels);
}
END_TEST

START_TEST(test_mask_moves_with_the_picture) {
  const LesionScene film = scene(7, 1, true);
  const SceneFrame first = film.frame(0);
  ck_assert(film.frame(0).picture.pixels == first.picture.pixels);
  double leftmost = centre_x(first.mask), rightmost = leftmost;
  for (int number = 15; number <= 90; number += 15) {
    const SceneFrame frame = film.frame(number);
    ck_assert_uint_eq(first_region(frame.mask), lesion_pixels(frame.mask));
    leftmost = std::min(leftmost, centre_x(frame.mask));
    rightmost = std::max(rightmost, centre_x(frame.mask));
    // Its own mask fits a frame better than the mask of the first one.
    if (std::abs(centre_x(frame.mask) - centre_x(first.mask)) > 4)
      ck_assert_double_gt(contrast(frame.picture, frame.mask), contrast(frame.picture, first.mask));
  }
  ck_assert_double_gt(rightmost - leftmost, 0.03 * kWidth);
}
END_TEST

START_TEST(test_neighbouring_frames_differ_little_but_differ) {
  const LesionScene film = scene(7, 1, true);
  const SceneFrame a = film.frame(40), b = film.frame(41);
  ck_assert(a.picture.pixels != b.picture.pixels);
  std::size_t differing = 0;
  for (std::size_t i = 0; i < a.mask.pixels.size(); ++i)
    differing += a.mask.pixels[i] != b.mask.pixels[i];
  ck_assert_uint_lt(differing, lesion_pixels(a.mask) / 10);
}
END_TEST

START_TEST(test_impossible_sizes_are_refused) {
  const int sizes[][2] = {{15, 100}, {100, 15}, {4097, 100}, {0, 0}, {-1, 50}};
  SceneOptions options;
  options.width = sizes[_i][0];
  options.height = sizes[_i][1];
  bool refused = false;
  try {
    LesionScene scene(options);
  } catch (const Error& error) {
    refused = error.fault() == Fault::settings;
  }
  ck_assert(refused);
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("synthesize");
  TCase* tests = tcase_create("scenes");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_same_seed_paints_the_same_bytes);
  tcase_add_loop_test(tests, test_mask_is_binary_and_one_region_of_reasonable_size, 0, 12);
  tcase_add_test(tests, test_lesions_are_darker_than_the_skin_around_them);
  tcase_add_test(tests, test_the_same_scene_at_two_sizes);
  tcase_add_test(tests, test_a_still_does_not_depend_on_what_is_painted_around_it);
  tcase_add_test(tests, test_mask_moves_with_the_picture);
  tcase_add_test(tests, test_neighbouring_frames_differ_little_but_differ);
  tcase_add_loop_test(tests, test_impossible_sizes_are_refused, 0, 5);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
