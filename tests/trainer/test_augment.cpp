// SPDX-License-Identifier: MIT
// Augmentation: what must stay the same, what must move together, and what a plan depends on.
#include <ATen/ATen.h>

#include <cmath>
#include <set>

#include "trainer/train/artefacts.h"
#include "trainer/train/augment.h"
#include "trainer/train/erase.h"
#include "trainer/train/jpeg.h"

#include "tests/check.h"
#include "tests/trainer/drawn_discs.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg::trainer;

namespace {

// One picture: dark disc, off the centre, on a bright ground; its mask is the disc.
DecodedSet one_disc(int size) {
  DecodedSet set;
  set.width = set.height = size;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const bool inside = std::hypot(x + 0.5 - size * 0.6, y + 0.5 - size * 0.45) < size * 0.2;
      for (int c = 0; c < 3; ++c) set.images.push_back(inside ? 40 : 200);
      set.masks.push_back(inside ? 255 : 0);
    }
  set.aspect = {1};
  set.ids = {"disc"};
  set.sha256 = {"image:mask"};
  return set;
}

AugmentationPolicy no_augmentation() {
  AugmentationPolicy p;
  p.turn_and_mirror = p.rotate = p.scale = p.aspect = p.shift = p.shear = p.close_up = 0;
  p.brightness = p.contrast = p.saturation = p.hue = p.grey = p.illuminant = p.gamma = 0;
  p.blur = p.low_resolution = p.noise = p.jpeg = p.artefacts = 0;
  p.rim = p.no_lesion = p.black_border = 0;
  return p;
}

START_TEST(test_policy_of_zeros_changes_nothing) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  const Batch plain = batches.plain({0}), same = batches.augmented({0}, no_augmentation(), 1, 0);
  ck_assert(at::allclose(plain.images, same.images, 1e-4, 1e-4));
  ck_assert(at::allclose(plain.target, same.target, 1e-4, 1e-4));
  ck_assert_double_eq_tol(plain.target.mean().item<double>(), 3.14159 * 0.04, 0.01);
}
END_TEST

START_TEST(test_geometry_moves_picture_and_mask_together) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 64, 64, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.turn_and_mirror = policy.rotate = policy.scale = policy.aspect = policy.shift = 1;
  policy.shear = policy.close_up = 1;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const Batch batch = batches.augmented({0}, policy, 7, epoch);
    const at::Tensor dark = batch.images.select(1, 0).lt(0.45);
    const at::Tensor lesion = batch.target.select(1, 0).gt(0.5);
    const double differing = dark.ne(lesion).to(at::kDouble).mean().item<double>();
    ck_assert_double_lt(differing, 0.02);  // soft edges
  }
}
END_TEST

START_TEST(test_colour_leaves_the_mask_alone) {
  const DecodedSet set = one_disc(32);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.brightness = policy.contrast = policy.saturation = policy.hue = policy.illuminant = 1;
  policy.gamma = policy.blur = policy.noise = 1;
  const Batch plain = batches.plain({0}), coloured = batches.augmented({0}, policy, 3, 4);
  ck_assert(at::allclose(plain.target, coloured.target, 1e-4, 1e-4));
  ck_assert(!at::allclose(plain.images, coloured.images, 1e-2, 1e-2));
  ck_assert_double_ge(coloured.images.min().item<double>(), 0);
  ck_assert_double_le(coloured.images.max().item<double>(), 1);
}
END_TEST

// A picture of vertical stripes, one pixel wide, in a colour.
DecodedSet stripes(int size) {
  DecodedSet set = one_disc(size);
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const bool bright = i / 3 % 2 == 0;
    const std::uint8_t colours[2][3] = {{90, 60, 50}, {230, 180, 150}};
    set.images[i] = colours[bright][i % 3];
  }
  return set;
}

START_TEST(test_grey_pictures_have_no_colour) {
  const DecodedSet set = stripes(32);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.grey = 1;
  const auto colour = [](const Batch& batch) {
    return (batch.images.amax(1) - batch.images.amin(1)).max().item<double>();
  };
  ck_assert_double_gt(colour(batches.plain({0})), 0.1);
  ck_assert_double_lt(colour(batches.augmented({0}, policy, 1, 0)), 1e-4);
}
END_TEST

START_TEST(test_low_resolution_takes_fine_stripes_away) {
  const DecodedSet set = stripes(32);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.low_resolution = 1;
  const auto contrast = [](const Batch& batch) { return batch.images.std().item<double>(); };
  const double plain = contrast(batches.plain({0}));
  double least = plain;
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch)
    least = std::min(least, contrast(batches.augmented({0}, policy, 1, epoch)));
  ck_assert_double_lt(least, 0.6 * plain);
}
END_TEST

START_TEST(test_rim_is_black_and_round_and_hides_no_truth) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 64, 64, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.rim = 1;
  const Batch plain = batches.plain({0});
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
    const Batch batch = batches.augmented({0}, policy, 1, epoch);
    for (const std::int64_t x : {0, 63})
      for (const std::int64_t y : {0, 63})
        ck_assert_double_lt(batch.images[0].select(2, x).select(1, y).max().item<double>(), 0.1);
    const auto middle = [](const at::Tensor& t) { return t.narrow(2, 24, 16).narrow(3, 24, 16); };
    ck_assert(at::allclose(middle(batch.images), middle(plain.images), 1e-3, 1e-3));
    ck_assert(at::allclose(batch.target, plain.target, 1e-4, 1e-4));
  }
}
END_TEST

START_TEST(test_outside_of_the_picture_is_black_or_mirrored) {
  const DecodedSet set = one_disc(64);  // nothing darker than 40
  const BatchMaker batches(set, 64, 64, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.shift = 1;
  for (const bool black : {false, true}) {
    policy.black_border = black;
    double darkest = 1;
    for (std::uint64_t epoch = 0; epoch < 10; ++epoch)
      darkest =
          std::min(darkest, batches.augmented({0}, policy, 1, epoch).images.min().item<double>());
    if (black)
      ck_assert_double_lt(darkest, 0.01);
    else
      ck_assert_double_gt(darkest, 0.15);
  }
}
END_TEST

START_TEST(test_lesion_free_samples_have_an_empty_mask) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  AugmentationPolicy policy;
  policy.no_lesion = 1;
  for (std::uint64_t epoch = 0; epoch < 30; ++epoch)
    ck_assert_double_eq(batches.augmented({0}, policy, 1, epoch).target.max().item<double>(), 0);
}
END_TEST

// The share of the input's pixels that a plan's view shows of a disc around (x, y), in -1..1.
double shown_of_disc(const SamplePlan& plan, double x, double y, double radius) {
  constexpr int kSide = 40;
  int inside = 0;
  for (int row = 0; row < kSide; ++row)
    for (int column = 0; column < kSide; ++column) {
      const double u = (column + 0.5) / kSide * 2 - 1, v = (row + 0.5) / kSide * 2 - 1;
      const double dx = plan.warp[0] * u + plan.warp[1] * v + plan.warp[2] - x;
      const double dy = plan.warp[3] * u + plan.warp[4] * v + plan.warp[5] - y;
      inside += std::hypot(dx, dy) < radius;
    }
  return inside / double{kSide * kSide};
}

START_TEST(test_windows_of_bare_skin_keep_away_from_the_lesion_and_inside_the_picture) {
  const DecodedSet set = one_disc(64);
  const MaskView mask{set.masks.data(), 64, 64};
  AugmentationPolicy policy;
  policy.no_lesion = policy.bare_skin = 1;
  policy.erased = 0;
  int windows = 0;
  double smallest = 1, largest = 0;
  for (std::uint64_t sample = 0; sample < 300; ++sample) {
    const SamplePlan plan = draw_plan(policy, 1, 0, sample, 1.4, mask);
    ck_assert_float_eq(plan.keep, 1);
    if (plan.erase) continue;
    ++windows;
    const auto& w = plan.warp;
    const double half_x = std::abs(w[0]) + std::abs(w[1]), half_y = std::abs(w[3]) + std::abs(w[4]);
    ck_assert_double_le(std::abs(w[2]) + half_x, 1);
    ck_assert_double_le(std::abs(w[5]) + half_y, 1);
    // The disc of radius 0.4 has a margin of 2 % of the picture and a tenth of the window.
    const double radius = 0.4 + 0.04 + 0.1 * std::min(half_x, half_y) - 0.03;  // 1 pixel less
    ck_assert_double_eq(shown_of_disc(plan, 0.2, -0.1, radius), 0);
    const double area = std::abs(w[0] * w[4] - w[1] * w[3]);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
  }
  ck_assert_int_gt(windows, 250);
  ck_assert_double_lt(smallest, 0.05);
  ck_assert_double_gt(largest, 0.1);
}
END_TEST

START_TEST(test_picture_without_room_for_a_window_has_its_lesion_erased) {
  std::vector<std::uint8_t> mask(32 * 32);
  AugmentationPolicy policy;
  policy.no_lesion = policy.bare_skin = 1;
  policy.erased = 0;
  const auto plan = [&](std::uint64_t sample) {
    return draw_plan(policy, 1, 0, sample, 1, {mask.data(), 32, 32});
  };
  for (std::size_t i = 0; i < mask.size(); i += 3) mask[i] = 255;  // dots of lesion everywhere
  for (std::uint64_t sample = 0; sample < 20; ++sample) ck_assert(plan(sample).erase);
  std::fill(mask.begin(), mask.end(), std::uint8_t{255});  // nothing that could fill it in
  for (std::uint64_t sample = 0; sample < 20; ++sample) ck_assert_float_eq(plan(sample).keep, 0);
}
END_TEST

START_TEST(test_kinds_of_lesion_free_frames_have_their_shares) {
  const DecodedSet set = one_disc(64);
  AugmentationPolicy policy;
  policy.no_lesion = 1;
  int erased = 0, scenery = 0;
  constexpr int kPlans = 2000;
  for (std::uint64_t sample = 0; sample < kPlans; ++sample) {
    const SamplePlan plan = draw_plan(policy, 1, 0, sample, 1, {set.masks.data(), 64, 64});
    erased += plan.erase;
    scenery += plan.keep == 0;
  }
  ck_assert_double_eq_tol(1.0 * scenery / kPlans, 0.2, 0.03);
  ck_assert_double_eq_tol(1.0 * erased / kPlans, 0.2, 0.03);
}
END_TEST

START_TEST(test_erased_lesion_leaves_skin_and_far_pixels_as_they_are) {
  const DecodedSet set = one_disc(96);  // skin of 200, a lesion of 40 within a radius of 19.2
  const Batch plain = BatchMaker(set, 96, 96, at::kCPU).plain({0});
  const at::Tensor skin = without_lesion(plain.images, plain.target);
  ck_assert_double_gt(skin.min().item<double>(), 0.75);
  ck_assert_double_lt(skin.max().item<double>(), 0.8);
  const at::Tensor far = plain.images.narrow(2, 80, 16);
  ck_assert(at::equal(skin.narrow(2, 80, 16), far));
  // Of nothing but lesion nothing can be made.
  const at::Tensor none = without_lesion(plain.images, at::ones_like(plain.target));
  ck_assert(at::isfinite(none).all().item<bool>());
  ck_assert_double_lt(none.abs().max().item<double>(), 0.2);
}
END_TEST

START_TEST(test_plans_depend_on_seed_epoch_and_sample_alone) {
  const DecodedSet set = one_disc(32);
  const MaskView mask{set.masks.data(), 32, 32};
  const AugmentationPolicy policy;
  const auto warp = [&](std::uint64_t seed, std::uint64_t epoch, std::uint64_t sample) {
    return draw_plan(policy, seed, epoch, sample, 1.3, mask).warp;
  };
  ck_assert(warp(1, 2, 3) == warp(1, 2, 3));
  std::set<std::array<float, 6>> seen;
  for (std::uint64_t i = 0; i < 10; ++i) {
    seen.insert(warp(100 + i, 2, 3));
    seen.insert(warp(1, 100 + i, 3));
    seen.insert(warp(1, 2, 100 + i));
  }
  ck_assert_uint_gt(seen.size(), 25);
}
END_TEST

START_TEST(test_every_policy_gives_pictures_and_masks_within_range) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 64, 64, at::kCPU);
  for (const char* name : {"light", "default", "strong"})
    for (std::uint64_t epoch = 0; epoch < 40; ++epoch) {
      const Batch batch = batches.augmented({0, 0}, augmentation_policy(name), 1, epoch);
      for (const at::Tensor& values : {batch.images, batch.target}) {
        ck_assert_double_ge(values.min().item<double>(), 0);  // fails for NaN too
        ck_assert_double_le(values.max().item<double>(), 1);
      }
    }
}
END_TEST

START_TEST(test_a_sample_is_the_same_in_every_batch) {
  const DecodedSet set = discs(6, 64, 1);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  const AugmentationPolicy policy = augmentation_policy("strong");
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const Batch all = batches.augmented({0, 1, 2, 3, 4, 5}, policy, 1, epoch);
    for (std::int64_t i = 0; i < 6; ++i) {
      const Batch one = batches.augmented({i}, policy, 1, epoch);
      ck_assert(at::allclose(one.images[0], all.images[i], 0, 1e-5));
      ck_assert(at::allclose(one.target[0], all.target[i], 0, 1e-5));
    }
  }
}
END_TEST

START_TEST(test_artefacts_cover_the_picture_and_not_the_mask) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 64, 64, at::kCPU);
  AugmentationPolicy policy = no_augmentation();
  policy.artefacts = 1;
  const Batch plain = batches.plain({0});
  std::int64_t covered = 0;
  for (std::uint64_t epoch = 0; epoch < 50; ++epoch) {
    const Batch batch = batches.augmented({0}, policy, 1, epoch);
    ck_assert(at::allclose(batch.target, plain.target, 1e-4, 1e-4));
    covered += (batch.images - plain.images).abs().max().item<double>() > 0.1;
  }
  ck_assert_int_gt(covered, 45);
}
END_TEST

START_TEST(test_artefact_layers_are_premultiplied_and_differ) {
  constexpr std::size_t kPixels = 64 * 48;
  const std::vector<std::uint8_t> layers = draw_artefacts(kArtefactLayers, 64, 48, 1);
  ck_assert_uint_eq(layers.size(), kArtefactLayers * 4 * kPixels);
  std::set<std::vector<std::uint8_t>> different;
  for (std::size_t i = 0; i < kArtefactLayers; ++i) {
    const std::uint8_t* layer = layers.data() + i * 4 * kPixels;
    different.emplace(layer, layer + 4 * kPixels);
    std::size_t covered = 0;
    for (std::size_t p = 0; p < kPixels; ++p) {
      const std::uint8_t opacity = layer[3 * kPixels + p];
      for (std::size_t c = 0; c < 3; ++c) ck_assert_uint_le(layer[c * kPixels + p], opacity);
      covered += opacity > 127;
    }
    ck_assert_uint_lt(covered, kPixels * 7 / 10);  // the skin is still there
  }
  ck_assert_uint_ge(different.size(), kArtefactLayers * 9 / 10);
  ck_assert(draw_artefacts(2, 64, 48, 1) ==
            std::vector<std::uint8_t>(layers.begin(), layers.begin() + 2 * 4 * kPixels));
}
END_TEST

// cos((2 x + 1) 3 pi / 16) in every row: coefficient (0, 3) alone, 4 sqrt(2) times the amplitude.
at::Tensor grey_wave(double amplitude) {
  const at::Tensor x = at::arange(16, at::kFloat);
  return ((128 + amplitude * ((2 * x + 1) * (3 * 3.14159265358979 / 16)).cos()) / 255)
      .expand({1, 3, 16, 16})
      .contiguous();
}

START_TEST(test_jpeg_rounds_to_its_table) {
  // At quality 50 the step of this coefficient is 16.
  const at::Tensor flat = grey_wave(0);
  ck_assert(at::allclose(jpeg_compressed(flat, 50), flat, 0, 1e-5));
  ck_assert(at::allclose(jpeg_compressed(grey_wave(1.35), 50), flat, 0, 1e-5));
  const double kept = 16 / (4 * std::sqrt(2.0));
  ck_assert(at::allclose(jpeg_compressed(grey_wave(1.5), 50), grey_wave(kept), 0, 1e-5));
}
END_TEST

START_TEST(test_jpeg_loses_less_at_higher_quality) {
  const at::Tensor picture = BatchMaker(discs(1, 64, 1), 64, 64, at::kCPU).plain({0}).images;
  double last = 1;
  for (const double quality : {10, 30, 60, 90, 100}) {
    const double error = (jpeg_compressed(picture, quality) - picture).abs().mean().item<double>();
    ck_assert_double_lt(error, last);
    last = error;
  }
  ck_assert_double_lt(last, 1.0 / 255);
}
END_TEST

START_TEST(test_rotation_is_rigid_in_the_unsquashed_scene) {
  AugmentationPolicy policy = no_augmentation();
  policy.rotate = 1;
  const DecodedSet set = one_disc(32);
  const double aspect = 1.5;
  for (std::uint64_t epoch = 0; epoch < 10; ++epoch) {
    const auto w = draw_plan(policy, 1, epoch, 0, aspect, {set.masks.data(), 32, 32}).warp;
    // Back to scene units: a picture spans (aspect, 1) half heights, the view likewise.
    const double a = w[0], b = w[1] * aspect, c = w[3] / aspect, d = w[4];
    ck_assert_double_eq_tol(a * a + c * c, 1, 1e-5);
    ck_assert_double_eq_tol(b * b + d * d, 1, 1e-5);
    ck_assert_double_eq_tol(a * b + c * d, 0, 1e-5);
  }
}
END_TEST

}  // namespace

Suite* augment_suite() {
  Suite* suite = suite_create("augment");
  TCase* tests = tcase_create("augment");
  tcase_add_test(tests, test_policy_of_zeros_changes_nothing);
  tcase_add_test(tests, test_geometry_moves_picture_and_mask_together);
  tcase_add_test(tests, test_colour_leaves_the_mask_alone);
  tcase_add_test(tests, test_grey_pictures_have_no_colour);
  tcase_add_test(tests, test_low_resolution_takes_fine_stripes_away);
  tcase_add_test(tests, test_rim_is_black_and_round_and_hides_no_truth);
  tcase_add_test(tests, test_outside_of_the_picture_is_black_or_mirrored);
  tcase_add_test(tests, test_lesion_free_samples_have_an_empty_mask);
  tcase_add_test(tests, test_windows_of_bare_skin_keep_away_from_the_lesion_and_inside_the_picture);
  tcase_add_test(tests, test_picture_without_room_for_a_window_has_its_lesion_erased);
  tcase_add_test(tests, test_kinds_of_lesion_free_frames_have_their_shares);
  tcase_add_test(tests, test_erased_lesion_leaves_skin_and_far_pixels_as_they_are);
  tcase_add_test(tests, test_plans_depend_on_seed_epoch_and_sample_alone);
  tcase_add_test(tests, test_every_policy_gives_pictures_and_masks_within_range);
  tcase_add_test(tests, test_a_sample_is_the_same_in_every_batch);
  tcase_add_test(tests, test_artefacts_cover_the_picture_and_not_the_mask);
  tcase_add_test(tests, test_artefact_layers_are_premultiplied_and_differ);
  tcase_add_test(tests, test_jpeg_rounds_to_its_table);
  tcase_add_test(tests, test_jpeg_loses_less_at_higher_quality);
  tcase_add_test(tests, test_rotation_is_rigid_in_the_unsquashed_scene);
  suite_add_tcase(suite, tests);
  return suite;
}
