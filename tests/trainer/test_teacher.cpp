// SPDX-License-Identifier: MIT
// What teachers find is mixed into the truth, wherever a view takes it.
#include <ATen/ATen.h>

#include <atomic>
#include <functional>

#include "model/network/stored_parameters.h"
#include "trainer/predict/teacher.h"
#include "trainer/train/batch_gradient.h"
#include "trainer/train/flat_parameters.h"

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

TeacherOptions taught_by(const std::vector<std::string>& weights) {
  TeacherOptions options;
  options.weights = weights;
  options.augmentation = UNETSEG_TTA_NONE;
  options.precision = UNETSEG_PRECISION_FP32;
  return options;
}

at::Tensor found_in(const DecodedSet& set, const TeacherOptions& options) {
  const std::vector<std::uint8_t> found = found_by_teachers(options, set, {}, false);
  const auto n = static_cast<std::int64_t>(set.size());
  return at::tensor(found, at::kFloat).view({n, 1, set.height, set.width}).div(255);
}

at::Tensor pictures_of(const DecodedSet& set) {
  const auto n = static_cast<std::int64_t>(set.size());
  return at::tensor(set.images, at::kFloat)
      .view({n, set.height, set.width, 3})
      .permute({0, 3, 1, 2})
      .div(255);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

constexpr double kRounding = 1.01 / 255;  // half a step, and a whole one at the upper end

START_TEST(test_what_several_find_is_their_mean) {
  const Weights one(1), other(2);
  const DecodedSet set = discs(3, kSide, 1);
  const at::Tensor first = one.find(pictures_of(set)), second = other.find(pictures_of(set));
  ck_assert_double_lt(largest_difference(found_in(set, taught_by({one.path()})), first), kRounding);
  ck_assert_double_lt(largest_difference(found_in(set, taught_by({one.path(), other.path()})),
                                         0.5 * (first + second)),
                      kRounding);
  ck_assert_double_gt(largest_difference(first, second), 0.1);
}
END_TEST

// Copies are the picture's own where the network treats them alike: where all of them are looked
// at, a turned picture gives a turned result.
START_TEST(test_with_copies_a_turned_picture_gives_a_turned_result) {
  const Weights weights(1);
  const DecodedSet set = discs(1, kSide, 1);
  DecodedSet turned = set;
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x)
      for (int channel = 0; channel < 3; ++channel)
        turned.images[3 * (y * kSide + x) + channel] =
            set.images[3 * (x * kSide + kSide - 1 - y) + channel];
  ck_assert(at::equal(pictures_of(turned), pictures_of(set).rot90(1, {2, 3})));
  TeacherOptions options = taught_by({weights.path()});
  const auto unlike = [&] {
    return largest_difference(found_in(turned, options), found_in(set, options).rot90(1, {2, 3}));
  };
  ck_assert_double_gt(unlike(), 1e-2);
  options.augmentation = UNETSEG_TTA_D4;
  ck_assert_double_lt(unlike(), kRounding);
}
END_TEST

START_TEST(test_a_teacher_looks_at_pictures_as_its_card_says) {
  const Weights weights(1, [](ModelCard* card) {
    for (int i = 0; i < 3; ++i) {
      card->normalisation.mean[i] = .1f * static_cast<float>(i + 1);
      card->normalisation.stddev[i] = .2f + .1f * static_cast<float>(i);
    }
  });
  const DecodedSet set = discs(2, 2 * kSide, 1);  // its pictures are larger than the input
  const at::Tensor mean = at::tensor({.1f, .2f, .3f}).view({1, 3, 1, 1});
  const at::Tensor stddev = at::tensor({.2f, .3f, .4f}).view({1, 3, 1, 1});
  const at::Tensor images =
      at::adaptive_avg_pool2d(pictures_of(set), {kSide, kSide}).sub(mean).div(stddev);
  const at::Tensor expected =
      at::upsample_bilinear2d(weights.find(images), {2 * kSide, 2 * kSide}, false);
  ck_assert_double_lt(largest_difference(found_in(set, taught_by({weights.path()})), expected),
                      kRounding);
}
END_TEST

START_TEST(test_teachers_stop_when_asked_to) {
  const Weights weights(1);
  const DecodedSet set = discs(3, kSide, 1);
  std::atomic<bool> stop{false};
  std::size_t seen = 0;
  assert_fault(error_of([&] {
                 found_by_teachers(
                     taught_by({weights.path()}), set,
                     [&](std::size_t done, std::size_t total) {
                       ck_assert_uint_eq(total, 3);
                       stop = (seen = done) == 2;
                     },
                     stop);
               }),
               Fault::failed);
  ck_assert_uint_eq(seen, 2);
}
END_TEST

Config small_config() {
  Config config = recipe("default");
  config.device = "cpu";
  config.precision = "fp32";
  config.memory_format = "contiguous";
  config.input_width = config.input_height = kSide;
  config.base_width = kWidth;
  config.batch_size = 6;
  return config;
}

const std::vector<std::int64_t> kAll = {0, 1, 2, 3, 4, 5};

// Whatever becomes of a picture, what teachers found in it stays where it was found.
START_TEST(test_what_is_found_moves_with_the_mask) {
  DecodedSet set = discs(6, 2 * kSide, 1);
  set.found = set.masks;
  const BatchMaker batches(set, kSide, kSide, at::kCPU);
  AugmentationPolicy policy = augmentation_policy("strong");
  policy.no_lesion = 0;
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    const Batch batch = batches.augmented(kAll, policy, 1, epoch);
    ck_assert_double_gt(batch.target.max().item<double>(), 0.5);
    ck_assert_double_lt(largest_difference(batch.found, batch.target), 1e-6);
  }
  const Batch plain = batches.plain(kAll);
  ck_assert(at::equal(plain.found, plain.target));
}
END_TEST

START_TEST(test_the_truth_is_mixed_with_what_is_found) {
  DecodedSet set = discs(6, kSide, 1);
  set.found.assign(set.masks.size(), 254);
  const BatchMaker batches(set, kSide, kSide, at::kCPU);
  for (const double weight : {0., 0.3, 0.5, 1.}) {
    Config config = small_config();
    config.teacher_weight = weight;
    config.augmentation = "none";
    const auto layout = network_layout(config.architecture, kWidth);
    const at::Tensor values = initial_values(config.architecture, layout, 5);
    const at::Tensor target = BatchGradient(config, layout, values, batches).batch(kAll, 0).target;
    const at::Tensor truth = batches.plain(kAll).target;
    ck_assert_double_lt(largest_difference(target, (1 - weight) * truth + weight * (254. / 255)),
                        1e-6);
    if (weight <= 0.5) ck_assert(at::equal(target.ge(0.5), truth.ge(0.5)));
  }
}
END_TEST

// What is found in vain is not learnt.
START_TEST(test_frames_without_a_lesion_have_no_teacher) {
  DecodedSet set = discs(6, kSide, 1);
  set.found.assign(set.masks.size(), 200);
  const BatchMaker batches(set, kSide, kSide, at::kCPU);
  Config config = small_config();
  config.no_lesion = 1;
  const auto layout = network_layout(config.architecture, kWidth);
  const at::Tensor values = initial_values(config.architecture, layout, 5);
  const BatchGradient gradient(config, layout, values, batches);
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch)
    ck_assert_double_eq(gradient.batch(kAll, epoch).target.max().item<double>(), 0);
}
END_TEST

START_TEST(test_gradients_follow_the_softened_truth) {
  DecodedSet set = discs(6, kSide, 1);
  const Config config = small_config();
  const auto layout = network_layout(config.architecture, kWidth);
  const at::Tensor values = initial_values(config.architecture, layout, 5);
  const auto gradient_of = [&] {
    const BatchMaker batches(set, kSide, kSide, at::kCPU);
    BatchGradient gradient(config, layout, values, batches);
    gradient.compute(kAll, 0, {});
    return gradient.gradient().clone();
  };
  const at::Tensor plain = gradient_of();
  ck_assert(at::equal(gradient_of(), plain));
  set.found.assign(set.masks.size(), 100);
  ck_assert(!at::equal(gradient_of(), plain));
}
END_TEST

START_TEST(test_files_are_told_apart_by_their_tensors) {
  const Weights one(1), same(1, [](ModelCard*card) { card->threshold = .3; }), other(2);
  const auto hashes = teacher_hashes({one.path(), same.path(), other.path()});
  ck_assert_uint_eq(hashes.size(), 3);
  ck_assert(hashes[0] == hashes[1] && hashes[0] != hashes[2]);
  Config saved = small_config(), changed = saved, moved = saved;
  saved.teacher = changed.teacher = {one.path()};
  moved.teacher = {same.path()};
  moved.teacher_sha256 = changed.teacher_sha256 = {hashes[0]};
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
    const std::vector<std::string> files = {weights->path()};
    const Error error = error_of([&] { teacher_hashes(files); });
    assert_fault(error, Fault::settings);
    assert_mentions(error, mentions);
    assert_mentions(error, weights->path().c_str());
    const DecodedSet set = discs(1, kSide, 1);
    assert_fault(error_of([&] { found_by_teachers(taught_by(files), set, {}, false); }),
                 Fault::settings);
  }
}
END_TEST

}  // namespace

Suite* teacher_suite() {
  Suite* suite = suite_create("teacher");
  TCase* tests = tcase_create("teacher");
  tcase_add_test(tests, test_what_several_find_is_their_mean);
  tcase_add_test(tests, test_with_copies_a_turned_picture_gives_a_turned_result);
  tcase_add_test(tests, test_a_teacher_looks_at_pictures_as_its_card_says);
  tcase_add_test(tests, test_teachers_stop_when_asked_to);
  tcase_add_test(tests, test_what_is_found_moves_with_the_mask);
  tcase_add_test(tests, test_the_truth_is_mixed_with_what_is_found);
  tcase_add_test(tests, test_frames_without_a_lesion_have_no_teacher);
  tcase_add_test(tests, test_gradients_follow_the_softened_truth);
  tcase_add_test(tests, test_files_are_told_apart_by_their_tensors);
  tcase_add_test(tests, test_weights_that_cannot_teach_are_refused);
  suite_add_tcase(suite, tests);
  return suite;
}
