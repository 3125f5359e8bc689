// SPDX-License-Identifier: MIT
// What teachers find is mixed into the truth, and nothing else of a batch changes.
#include <ATen/ATen.h>

#include <functional>

#include "model/network/stored_parameters.h"
#include "trainer/train/batch_gradient.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/teacher.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/drawn_discs.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

constexpr int kWidth = 3, kSide = 32;

// Weights that find something, different by `seed`.
class Weights {
 public:
  explicit Weights(std::uint64_t seed, const std::function<void(ModelCard*)>& change = {}) {
    card_.base_width = kWidth;
    card_.input_width = card_.input_height = kSide;
    if (change) change(&card_);
    const auto layout = network_layout(card_.architecture, kWidth);
    at::manual_seed(seed);
    const at::Tensor values = initial_values(card_.architecture, layout, seed);
    parameters_ = views_of(values + 0.1 * at::randn_like(values), layout);
    save_parameters(path(), parameters_, card_, false);
  }
  std::string path() const { return folder_.path() + "/weights.safetensors"; }
  at::Tensor find(const at::Tensor& images) const {
    return at::sigmoid(make_network(card_.architecture, kWidth, parameters_)->forward(images).full);
  }

 private:
  const TemporaryFolder folder_;
  ModelCard card_;
  Parameters parameters_;
};

Config taught_by(const std::vector<std::string>& files, double weight) {
  Config config = recipe("default");
  config.device = "cpu";
  config.precision = "fp32";
  config.memory_format = "contiguous";
  config.input_width = config.input_height = kSide;
  config.teacher = files;
  config.teacher_weight = weight;
  return config;
}

// The second sample shows no lesion.
Batch two_samples() {
  at::manual_seed(3);
  Batch batch = {at::rand({2, 3, kSide, kSide}), at::zeros({2, 1, kSide, kSide})};
  batch.target[0].narrow(1, 4, 9).fill_(1);
  batch.target[0].narrow(1, 13, 1).fill_(0.25);
  return batch;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

START_TEST(test_the_truth_is_mixed_with_what_teachers_find) {
  const Weights one(1), other(2);
  const Batch batch = two_samples();
  const at::Tensor found = 0.5 * (one.find(batch.images) + other.find(batch.images));
  for (const double weight : {0., 0.3, 1.}) {
    const Teacher teacher(taught_by({one.path(), other.path()}, weight));
    const at::Tensor softened = teacher.softened(batch);
    const at::Tensor expected = (1 - weight) * batch.target[0] + weight * found[0];
    ck_assert_double_lt(largest_difference(softened[0], expected), 1e-5);
    ck_assert(at::equal(softened[1], batch.target[1]));
    ck_assert(!softened.requires_grad());
  }
  ck_assert_double_gt(largest_difference(found[0], batch.target[0]), 0.1);
}
END_TEST

// Copies are the picture's own where the network treats them alike: where all of them are looked
// at, a turned picture gives a turned result.
START_TEST(test_with_copies_a_turned_picture_gives_a_turned_result) {
  const Weights weights(1);
  Config config = taught_by({weights.path()}, 1);
  Batch batch = two_samples();
  batch.target.fill_(1);
  Batch turned = batch;
  turned.images = batch.images.rot90(1, {2, 3});
  const auto unlike = [&](const char* tta) {
    config.teacher_tta = tta;
    const Teacher teacher(config);
    return largest_difference(teacher.softened(turned), teacher.softened(batch).rot90(1, {2, 3}));
  };
  ck_assert_double_lt(unlike("d4"), 1e-5);
  ck_assert_double_gt(unlike("none"), 1e-2);
  turned.images = batch.images.flip(3);
  config.teacher_tta = "flips";
  const Teacher teacher(config);
  ck_assert_double_lt(largest_difference(teacher.softened(turned), teacher.softened(batch).flip(3)),
                      1e-5);
}
END_TEST

START_TEST(test_a_teacher_looks_at_pictures_as_its_card_says) {
  const Weights other(1, [](ModelCard* card) {
    card->input_width = 64;
    card->input_height = 48;
    for (int i = 0; i < 3; ++i) {
      card->normalisation.mean[i] = .1f * static_cast<float>(i + 1);
      card->normalisation.stddev[i] = .2f + .1f * static_cast<float>(i);
    }
  });
  const Batch batch = two_samples();
  const at::Tensor mean = at::tensor({.1f, .2f, .3f}).view({1, 3, 1, 1});
  const at::Tensor stddev = at::tensor({.2f, .3f, .4f}).view({1, 3, 1, 1});
  const at::Tensor images =
      at::upsample_bilinear2d(batch.images, {48, 64}, false).sub(mean).div(stddev);
  // Both axes of a result grow smaller by less than two, where antialiasing is a triangle.
  const at::Tensor found = at::_upsample_bilinear2d_aa(other.find(images), {kSide, kSide}, false);
  const at::Tensor softened = Teacher(taught_by({other.path()}, 1)).softened(batch);
  ck_assert_double_lt(largest_difference(softened[0], found[0]), 1e-4);
}
END_TEST

START_TEST(test_gradients_follow_the_softened_truth) {
  const Weights weights(1);
  const Config config = [&] {
    Config small = taught_by({weights.path()}, 0.5);
    small.base_width = kWidth;
    small.batch_size = 3;
    small.augmentation = "none";
    return small;
  }();
  const auto layout = network_layout(config.architecture, kWidth);
  const at::Tensor values = initial_values(config.architecture, layout, 5);
  const DecodedSet set = discs(3, kSide, 1);
  const BatchMaker batches(set, kSide, kSide, at::kCPU);
  const Teacher teacher(config);
  BatchGradient plain(config, layout, values, batches),
      taught(config, layout, values, batches, &teacher);
  const std::vector<std::int64_t> all = {0, 1, 2};
  ck_assert(at::equal(taught.batch(all, 0).target, teacher.softened(plain.batch(all, 0))));
  ck_assert(at::equal(taught.batch(all, 0).images, plain.batch(all, 0).images));
  plain.compute(all, 0, {});
  taught.compute(all, 0, {});
  ck_assert(!at::equal(plain.gradient(), taught.gradient()));
}
END_TEST

START_TEST(test_files_are_told_apart_by_their_tensors) {
  const Weights one(1), same(1, [](ModelCard*card) { card->threshold = .3; }), other(2);
  const auto hashes = teacher_hashes(taught_by({one.path(), same.path(), other.path()}, 0.5));
  ck_assert_uint_eq(hashes.size(), 3);
  ck_assert(hashes[0] == hashes[1] && hashes[0] != hashes[2]);
  Config moved = taught_by({one.path()}, 0.5), changed = moved;
  moved.teacher = {same.path()};
  moved.teacher_sha256 = changed.teacher_sha256 = {hashes[0]};
  Config saved = taught_by({one.path()}, 0.5);
  saved.teacher_sha256 = {hashes[0]};
  ck_assert(differing_keys(saved, moved).empty());
  changed.teacher_sha256 = {hashes[2]};
  ck_assert(differing_keys(saved, changed) == std::vector<std::string>{"teacher-sha256"});
  ck_assert(differing_keys(saved, config_from_json(to_json(saved))).empty());
}
END_TEST

START_TEST(test_weights_that_cannot_teach_are_refused) {
  const Weights seed(1, [](ModelCard* card) { card->architecture = "seed-unet"; });
  const Weights boxed(1, [](ModelCard* card) { card->fit = UNETSEG_FIT_LETTERBOX; });
  for (const auto& [weights, mentions] :
       {std::pair(&seed, "no probability"), std::pair(&boxed, "fit=letterbox")}) {
    const Config config = taught_by({weights->path()}, 0.5);
    for (const Error& error :
         {error_of([&] { teacher_hashes(config); }), error_of([&] { Teacher teacher(config); })}) {
      assert_fault(error, Fault::settings);
      assert_mentions(error, mentions);
      assert_mentions(error, weights->path().c_str());
    }
  }
}
END_TEST

}  // namespace

Suite* teacher_suite() {
  Suite* suite = suite_create("teacher");
  TCase* tests = tcase_create("teacher");
  tcase_add_test(tests, test_the_truth_is_mixed_with_what_teachers_find);
  tcase_add_test(tests, test_with_copies_a_turned_picture_gives_a_turned_result);
  tcase_add_test(tests, test_a_teacher_looks_at_pictures_as_its_card_says);
  tcase_add_test(tests, test_gradients_follow_the_softened_truth);
  tcase_add_test(tests, test_files_are_told_apart_by_their_tensors);
  tcase_add_test(tests, test_weights_that_cannot_teach_are_refused);
  suite_add_tcase(suite, tests);
  return suite;
}
