// SPDX-License-Identifier: MIT
// Pictures that were stored anew are found, others that only look alike are not.
#include "trainer/data/near_duplicates.h"

#include <array>

#include "trainer/splitmix.h"

#include "tests/check.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg::trainer;

namespace {

constexpr int kSide = 96;

// A dark disc on skin with freckles whose places depend on `seed`: as alike as lesions are.
Image freckled(int seed) {
  Image image = disc_picture(kSide, kSide);
  SplitMix64 random(static_cast<std::uint64_t>(seed));
  for (int i = 0; i < 60; ++i) {
    const auto left = static_cast<int>(random.below(kSide - 4));
    const auto top = static_cast<int>(random.below(kSide - 4));
    for (int y = top; y < top + 4; ++y)
      for (int x = 3 * left; x < 3 * left + 12; ++x) image.pixels[3 * kSide * y + x] /= 2;
  }
  return image;
}

void add(DecodedSet* set, const std::string& id, const Image& image,
         const std::string& hash = "another") {
  set->width = image.width;
  set->height = image.height;
  set->ids.push_back(id);
  set->sha256.push_back(hash + ":mask");
  set->images.insert(set->images.end(), image.pixels.begin(), image.pixels.end());
}

// Each pixel is the one that `source` names by place, its channels scaled by `gains`.
template <typename Source>
Image redrawn(const Image& image, int width, int height, Source source,
              const std::array<double, 3>& gains = {1, 1, 1}) {
  Image result{width, height, 3, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const auto [u, v] = source(x, y);
      for (int c = 0; c < 3; ++c)
        result.pixels.push_back(static_cast<std::uint8_t>(
            std::min(255.0, gains[c] * image.pixels[3 * (image.width * v + u) + c])));
    }
  return result;
}

DecodedSet ten_others() {
  DecodedSet set;
  for (int i = 0; i < 10; ++i)
    add(&set, std::to_string(i), freckled(i), "hash " + std::to_string(i));
  return set;
}

// The one partner that a set of this picture alone has among the ten.
void assert_found(const Image& copy, std::size_t index) {
  DecodedSet second;
  add(&second, "copy", copy);
  const auto found = near_duplicates(ten_others(), second);
  ck_assert_uint_eq(found.size(), 1);
  ck_assert_uint_eq(found[0].first, index);
  ck_assert_double_gt(found[0].similarity, 0.73);
  ck_assert_double_lt(found[0].similarity, 1.001);
}

}  // namespace

START_TEST(test_t8_pictures_with_other_freckles_are_different) {
  DecodedSet second;
  for (int i = 20; i < 60; ++i) add(&second, "other", freckled(i));
  ck_assert_uint_eq(near_duplicates(ten_others(), second).size(), 0);
}
END_TEST

START_TEST(test_t8_recoloured_and_smaller_copy_is_found) {
  const auto half = [](int x, int y) { return std::pair(2 * x, 2 * y); };
  assert_found(redrawn(freckled(3), kSide / 2, kSide / 2, half, {0.9, 1.1, 1.2}), 3);
}
END_TEST

START_TEST(test_t8_cropped_copy_is_found) {
  const auto inner = [](int x, int y) { return std::pair(2 + x * 92 / kSide, 3 + y * 92 / kSide); };
  assert_found(redrawn(freckled(4), kSide, kSide, inner), 4);
}
END_TEST

START_TEST(test_t8_mirrored_and_turned_copies_are_found) {
  const int number = _i;
  const auto place = [number](int x, int y) {
    const int u = number & 1 ? kSide - 1 - x : x, v = number & 2 ? kSide - 1 - y : y;
    return number & 4 ? std::pair(v, u) : std::pair(u, v);
  };
  assert_found(redrawn(freckled(5), kSide, kSide, place), 5);
}
END_TEST

START_TEST(test_t8_the_same_file_is_left_to_the_hashes) {
  DecodedSet second;
  add(&second, "same", freckled(6), "hash 6");
  ck_assert_uint_eq(near_duplicates(ten_others(), second).size(), 0);
}
END_TEST

START_TEST(test_pictures_without_detail_have_no_partner) {
  DecodedSet first, second, tiny;
  const Image flat{kSide, kSide, 3, std::vector<std::uint8_t>(3 * kSide * kSide, 120)};
  add(&first, "flat", flat);
  add(&second, "flat too", flat, "other");
  ck_assert_uint_eq(near_duplicates(first, second).size(), 0);
  add(&tiny, "tiny", disc_picture(16, 16));
  ck_assert_uint_eq(near_duplicates(first, tiny).size(), 0);
}
END_TEST

int main() {
  Suite* suite = suite_create("near duplicates");
  TCase* tests = tcase_create("near duplicates");
  tcase_add_test(tests, test_t8_pictures_with_other_freckles_are_different);
  tcase_add_test(tests, test_t8_recoloured_and_smaller_copy_is_found);
  tcase_add_test(tests, test_t8_cropped_copy_is_found);
  tcase_add_loop_test(tests, test_t8_mirrored_and_turned_copies_are_found, 0, 8);
  tcase_add_test(tests, test_t8_the_same_file_is_left_to_the_hashes);
  tcase_add_test(tests, test_pictures_without_detail_have_no_partner);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
