// SPDX-License-Identifier: MIT
// Scenes in their own proportions, what cameras do to them, and frames without a lesion.
#include <algorithm>
#include <cmath>
#include <map>

#include "trainer/predict/bare_frames.h"
#include "trainer/predict/conditions.h"
#include "trainer/report/condition_table.h"

#include "tests/check.h"
#include "tests/trainer/pictures_on_disk.h"

using namespace unetseg::trainer;

namespace {

constexpr int kWidth = 160, kHeight = 120;

Scene disc_scene() {
  return {disc_picture(kWidth, kHeight), disc_mask(kWidth, kHeight)};
}

double mean(const Image& image) {
  double sum = 0;
  for (const std::uint8_t value : image.pixels) sum += value;
  return sum / static_cast<double>(image.pixels.size());
}

double deviation(const Image& image) {
  const double middle = mean(image);
  double sum = 0;
  for (const std::uint8_t value : image.pixels) sum += (value - middle) * (value - middle);
  return std::sqrt(sum / static_cast<double>(image.pixels.size()));
}

// Mean distance of values next to each other in a row.
double roughness(const Image& image) {
  double sum = 0;
  for (std::size_t i = 3; i < image.pixels.size(); ++i)
    sum += std::abs(image.pixels[i] - image.pixels[i - 3]);
  return sum / static_cast<double>(image.pixels.size());
}

double lesion_pixels(const Scene& scene) {
  return mean(scene.truth) / 255 * static_cast<double>(scene.truth.pixels.size());
}

std::map<std::string, Scene> shown(const Scene& scene, std::uint64_t seed = 1) {
  std::map<std::string, Scene> all;
  for (const Condition& condition : camera_conditions())
    all[condition.name] = condition.apply(scene, seed);
  return all;
}

START_TEST(test_squashed_pictures_get_the_proportions_of_their_mask) {
  const Scene wide = scene_of(disc_picture(128, 128), disc_mask(1600, 1200));
  ck_assert_int_eq(wide.image.width, 171);  // the height stays
  ck_assert_int_eq(wide.image.height, 128);
  ck_assert(wide.truth.width == 171 && wide.truth.height == 128);
  const Scene tall = scene_of(disc_picture(128, 128), disc_mask(60, 120));
  ck_assert(tall.image.width == 128 && tall.image.height == 256);
  const Scene large = scene_of(disc_picture(1200, 900), disc_mask(2000, 1500));
  ck_assert(large.image.width == 512 && large.image.height == 384);
  // The disc of the mask is where the picture is dark.
  ck_assert_double_eq_tol(lesion_pixels(wide) / (171 * 128), 3.14159 / 16, 0.005);
  for (std::size_t i = 0; i < large.truth.pixels.size(); i += 97)
    if (large.truth.pixels[i] == 0) ck_assert_int_gt(large.image.pixels[3 * i], 120);
}
END_TEST

START_TEST(test_conditions_change_what_their_names_say_and_leave_the_truth) {
  const Scene scene = disc_scene();
  const std::map<std::string, Scene> seen = shown(scene);
  for (const char* name : {"blur", "noise", "dark", "bright", "low contrast", "jpeg", "grey"}) {
    ck_assert_msg(seen.at(name).truth.pixels == scene.truth.pixels, "%s", name);
    ck_assert_msg(seen.at(name).image.pixels != scene.image.pixels, "%s", name);
  }
  ck_assert_double_lt(roughness(seen.at("blur").image), 0.5 * roughness(scene.image));
  ck_assert_double_gt(roughness(seen.at("noise").image), 2 * roughness(scene.image));
  ck_assert_double_eq_tol(mean(seen.at("dark").image), 0.4 * mean(scene.image), 1);
  ck_assert_double_gt(mean(seen.at("bright").image), 1.2 * mean(scene.image));
  ck_assert_double_eq_tol(deviation(seen.at("low contrast").image), 0.4 * deviation(scene.image),
                          1);
  ck_assert_double_eq_tol(mean(seen.at("low contrast").image), mean(scene.image), 1);
  const Image& grey = seen.at("grey").image;
  bool colourless = true;
  for (std::size_t i = 0; i < grey.pixels.size(); i += 3)
    colourless =
        colourless && grey.pixels[i] == grey.pixels[i + 1] && grey.pixels[i] == grey.pixels[i + 2];
  ck_assert(colourless);
}
END_TEST

START_TEST(test_rim_hides_the_lesion_outside_of_it) {
  const Scene everywhere = {disc_picture(kWidth, kHeight), disc_mask(kWidth, kHeight, 255, 255)};
  const Scene rim = shown(everywhere).at("vignette");
  bool black_where_no_truth = true;
  for (std::size_t i = 0; i < rim.truth.pixels.size(); ++i)
    black_where_no_truth =
        black_where_no_truth && (rim.truth.pixels[i] == 0) == (rim.image.pixels[3 * i] == 0);
  ck_assert(black_where_no_truth);
  // A circle of radius 72 that the picture's upper and lower edges cut.
  const double segment = 72 * 72 * std::acos(60.0 / 72) - 60 * std::sqrt(72.0 * 72 - 60 * 60);
  ck_assert_double_eq_tol(lesion_pixels(rim), 3.14159 * 72 * 72 - 2 * segment, 100);
}
END_TEST

START_TEST(test_other_cameras_see_as_large_an_area_and_black_beside_the_scene) {
  const Scene scene = disc_scene();
  const struct {
    const char* name;
    double aspect;
  } cases[] = {{"1:1", 1}, {"16:9", 16.0 / 9}, {"9:16", 9.0 / 16}};
  const std::map<std::string, Scene> seen = shown(scene);
  for (const auto& c : cases) {
    const Scene& view = seen.at(c.name);
    const int width = view.image.width, height = view.image.height;
    ck_assert_double_eq_tol(static_cast<double>(width) / height, c.aspect, 0.02);
    ck_assert_double_eq_tol(1.0 * width * height, kWidth * kHeight, 200);
    ck_assert(view.truth.width == width && view.truth.height == height);
    // The disc is as large as it was where the view holds it, and in the middle.
    if (c.aspect >= 1) ck_assert_double_eq_tol(lesion_pixels(view), lesion_pixels(scene), 1e-6);
    const std::size_t middle = static_cast<std::size_t>(height / 2 * width + width / 2);
    ck_assert_int_eq(view.truth.pixels[middle], 255);
    ck_assert_int_eq(view.image.pixels[0], 0);  // each view is wider or higher than the scene
    ck_assert_int_eq(view.truth.pixels[0], 0);
  }
}
END_TEST

START_TEST(test_conditions_repeat_themselves_and_noise_depends_on_its_seed) {
  const Scene scene = disc_scene();
  const auto once = shown(scene), again = shown(scene), other = shown(scene, 2);
  for (const auto& [name, view] : once) {
    ck_assert(view.image.pixels == again.at(name).image.pixels);
    ck_assert((view.image.pixels == other.at(name).image.pixels) == (name != "noise"));
  }
}
END_TEST

START_TEST(test_layer_covers_by_its_opacity) {
  Image image{2, 1, 3, {100, 100, 100, 100, 100, 100}};
  const std::uint8_t layer[] = {51, 0, 0, 0, 102, 0, 102, 0};  // red, green, blue, opacity
  lay_over(layer, &image);
  const std::vector<std::uint8_t> expected = {111, 60, 162, 100, 100, 100};
  ck_assert(image.pixels == expected);
}
END_TEST

START_TEST(test_bare_skin_shows_no_lesion_and_no_black) {
  // A dark square in the middle of skin.
  constexpr std::size_t kPixels = std::size_t{kWidth} * kHeight;
  Scene scene = {{kWidth, kHeight, 3, std::vector<std::uint8_t>(3 * kPixels, 200)},
                 {kWidth, kHeight, 1, std::vector<std::uint8_t>(kPixels)}};
  for (std::size_t y = 50; y < 70; ++y)
    for (std::size_t x = 70; x < 90; ++x) {
      scene.truth.pixels[y * kWidth + x] = 255;
      scene.image.pixels[3 * (y * kWidth + x)] = 90;
    }
  int windows = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::optional<Image> skin = bare_skin(scene, seed);
    if (!skin) continue;
    ++windows;
    ck_assert_int_ge(skin->width, kWidth / 4);
    ck_assert_double_eq_tol(1.0 * skin->width / skin->height, 4.0 / 3, 0.05);
    ck_assert_int_eq(*std::min_element(skin->pixels.begin(), skin->pixels.end()), 200);
  }
  ck_assert_int_gt(windows, 35);
  const Scene all_lesion = {scene.image, disc_mask(kWidth, kHeight, 255, 255)};
  ck_assert(!bare_skin(all_lesion, 1));
  std::fill(scene.image.pixels.begin(), scene.image.pixels.end(), std::uint8_t{10});
  ck_assert(!bare_skin(scene, 1));
}
END_TEST

START_TEST(test_painted_frames_are_what_they_are_called) {
  const std::vector<Image> even = even_frames(), black = black_frames(), noise = noise_frames();
  ck_assert(even.size() == 20 && black.size() == 20 && noise.size() == 20);
  for (const Image& frame : even) ck_assert_double_eq(roughness(frame), 0);
  ck_assert_double_gt(std::abs(mean(even[0]) - mean(even[1])), 1);
  ck_assert_double_eq(mean(black.front()), 0);
  for (const Image& frame : black) ck_assert_double_le(mean(frame), 4);
  for (const Image& frame : noise) ck_assert_double_gt(deviation(frame), 10);
  ck_assert_double_lt(roughness(noise[5]), 0.5 * roughness(noise[0]));
}
END_TEST

START_TEST(test_table_pairs_each_condition_with_the_plain_images) {
  ConditionTable table;
  table.ids = {"a", "b,c"};
  table.conditions = {{"plain", {0.9, 0.7}}, {"blur", {0.8, 0.4}}};
  table.frames = {{"bare skin", 8, 1}, {"black", 0, 0}};
  const std::string text = to_text(table);
  for (const char* words : {"plain                     0.8000", "blur                      0.6000",
                            "-0.2000  (-0.3000 to -0.1000)", "8  87.5 %  (7)", "0  -"})
    ck_assert_msg(text.find(words) != std::string::npos, "'%s' is not in:\n%s", words,
                  text.c_str());
  const std::string csv = to_csv(table);
  ck_assert_str_eq(csv.c_str(),
                   "id,condition,dice\na,plain,0.900000\n\"b,c\",plain,0.700000\n"
                   "a,blur,0.800000\n\"b,c\",blur,0.400000\n");
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("conditions");
  TCase* tests = tcase_create("conditions");
  tcase_add_test(tests, test_squashed_pictures_get_the_proportions_of_their_mask);
  tcase_add_test(tests, test_conditions_change_what_their_names_say_and_leave_the_truth);
  tcase_add_test(tests, test_rim_hides_the_lesion_outside_of_it);
  tcase_add_test(tests, test_other_cameras_see_as_large_an_area_and_black_beside_the_scene);
  tcase_add_test(tests, test_conditions_repeat_themselves_and_noise_depends_on_its_seed);
  tcase_add_test(tests, test_layer_covers_by_its_opacity);
  tcase_add_test(tests, test_bare_skin_shows_no_lesion_and_no_black);
  tcase_add_test(tests, test_painted_frames_are_what_they_are_called);
  tcase_add_test(tests, test_table_pairs_each_condition_with_the_plain_images);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
