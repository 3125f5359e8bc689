// SPDX-License-Identifier: MIT
// Augmentation: what must stay the same, what must move together, and what a plan depends on.
#include <ATen/ATen.h>

#include <set>

#include "trainer/train/augment.h"

#include "tests/check.h"
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

START_TEST(test_lesion_free_samples_have_an_empty_mask) {
  const DecodedSet set = one_disc(64);
  const BatchMaker batches(set, 32, 32, at::kCPU);
  AugmentationPolicy policy;
  policy.no_lesion = 1;
  for (std::uint64_t epoch = 0; epoch < 30; ++epoch)
    ck_assert_double_eq(batches.augmented({0}, policy, 1, epoch).target.max().item<double>(), 0);
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
  tcase_add_test(tests, test_lesion_free_samples_have_an_empty_mask);
  tcase_add_test(tests, test_plans_depend_on_seed_epoch_and_sample_alone);
  tcase_add_test(tests, test_rotation_is_rigid_in_the_unsquashed_scene);
  suite_add_tcase(suite, tests);
  return suite;
}
