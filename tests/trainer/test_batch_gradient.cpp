// SPDX-License-Identifier: MIT
// A batch taken in shards: the gradient of the whole, by any number of threads.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include "trainer/train/batch_gradient.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/loss.h"

#include "tests/check.h"
#include "tests/trainer/drawn_discs.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

const std::vector<std::int64_t> kBatch = {8, 0, 3, 1, 2, 7, 4, 6, 5};  // three shards, one smaller

// A small network on drawn discs.
struct Fixture {
  explicit Fixture(const char* augmentation) {
    at::set_num_threads(1);
    config.base_width = 4;
    config.input_width = config.input_height = 32;
    config.batch_size = static_cast<int>(kBatch.size());
    config.augmentation = augmentation;
    config.deep_supervision = true;
    layout = network_layout(config.architecture, config.base_width);
    values = initial_values(config.architecture, layout, 1);
    for (int level = 0; level < kLevels; ++level)
      dropout.push_back(at::ones({config.batch_size, std::int64_t{config.base_width} << level}));
    dropout[0].select(0, 1).mul_(2);  // dropout follows its sample
    dropout[2].select(0, 4).zero_();
  }
  Config config = recipe("default");
  DecodedSet set = discs(9, 32, 1);
  BatchMaker batches{set, 32, 32, at::kCPU};
  std::vector<ParameterLayout> layout;
  at::Tensor values;
  DropoutMasks dropout;
};

START_TEST(test_shards_add_up_to_the_gradient_of_the_batch) {
  Fixture f("none");
  BatchGradient sharded(f.config, f.layout, f.values, f.batches);
  const double loss = sharded.compute(kBatch, 0, f.dropout);

  const at::Tensor gradient = at::zeros_like(f.values);
  const auto network = make_network(f.config.architecture, f.config.base_width,
                                    trainable_views(f.values, gradient, f.layout));
  const Batch batch = f.batches.plain(kBatch);
  const at::Tensor whole = segmentation_loss(
      f.config.loss, true, network->forward(batch.images, f.dropout), batch.target);
  torch::autograd::backward({whole}, {});
  ck_assert_double_eq_tol(loss, whole.item<double>(), 1e-5);
  const double difference = (sharded.gradient() - gradient).norm().item<double>();
  ck_assert_double_lt(difference, 1e-4 * gradient.norm().item<double>());
  ck_assert_double_gt(gradient.norm().item<double>(), 0.01);
}
END_TEST

START_TEST(test_any_number_of_threads_gives_the_same_digits) {
  Fixture f("strong");
  f.config.threads = 1;
  BatchGradient alone(f.config, f.layout, f.values, f.batches);
  for (const unsigned threads : {2u, 3u}) {
    f.config.threads = threads;
    BatchGradient several(f.config, f.layout, f.values, f.batches);
    for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
      ck_assert_double_eq(alone.compute(kBatch, epoch, f.dropout),
                          several.compute(kBatch, epoch, f.dropout));
      ck_assert(at::equal(alone.gradient(), several.gradient()));
    }
  }
}
END_TEST

START_TEST(test_more_threads_than_shards_share_the_samples) {
  Fixture f("none");
  BatchGradient few(f.config, f.layout, f.values, f.batches);
  f.config.threads = 9;
  BatchGradient many(f.config, f.layout, f.values, f.batches);
  ck_assert_double_eq_tol(few.compute(kBatch, 0, f.dropout), many.compute(kBatch, 0, f.dropout),
                          1e-5);
  ck_assert_double_lt((few.gradient() - many.gradient()).norm().item<double>(),
                      1e-3 * few.gradient().norm().item<double>());
}
END_TEST

START_TEST(test_a_smaller_last_batch_leaves_nothing_of_the_one_before) {
  Fixture f("none");
  BatchGradient used(f.config, f.layout, f.values, f.batches);
  BatchGradient fresh(f.config, f.layout, f.values, f.batches);
  used.compute(kBatch, 0, {});
  ck_assert_double_eq(used.compute({2, 3, 0}, 0, {}), fresh.compute({2, 3, 0}, 0, {}));
  ck_assert(at::equal(used.gradient(), fresh.gradient()));
}
END_TEST

}  // namespace

Suite* batch_gradient_suite() {
  Suite* suite = suite_create("batch gradient");
  TCase* tests = tcase_create("shards");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_shards_add_up_to_the_gradient_of_the_batch);
  tcase_add_test(tests, test_any_number_of_threads_gives_the_same_digits);
  tcase_add_test(tests, test_more_threads_than_shards_share_the_samples);
  tcase_add_test(tests, test_a_smaller_last_batch_leaves_nothing_of_the_one_before);
  suite_add_tcase(suite, tests);
  return suite;
}
