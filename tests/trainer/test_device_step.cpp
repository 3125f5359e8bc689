// SPDX-License-Identifier: MIT
// Steps as a GPU takes them, their kernels' blocks run in loops on the CPU, against those that the
// CPU takes.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <filesystem>

#include "trainer/train/gpu/step.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/run.h"

#include "tests/assertions.h"
#include "tests/check.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/drawn_discs.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

Config small_config() {
  Config config = recipe("default");
  config.base_width = 4;
  config.input_width = config.input_height = 32;
  config.batch_size = 4;
  config.device = "cpu";
  config.precision = "fp32";
  config.memory_format = "channels-last";
  config.threads = 1;
  return config;
}

const char* const kRules[] = {"adamw", "adam", "sgd"};

double apart(const at::Tensor& found, const at::Tensor& expected) {
  return (found - expected).norm().item<double>() / expected.norm().item<double>();
}

struct Fixture {
  explicit Fixture(const Config& config) : config_(config) {
    at::set_num_threads(1);
    values = initial_values(config.architecture, layout, 1);
    average = values.clone();
    optimizer = make_optimizer(config, decay_mask(layout));
  }
  const Config config_;
  DecodedSet set = discs(9, 32, 1);
  BatchMaker batches{set, 32, 32, at::kCPU};
  std::vector<ParameterLayout> layout = network_layout(config_.architecture, config_.base_width);
  at::Tensor values, average;
  std::unique_ptr<Optimizer> optimizer;
};

DropoutMasks dropout(const Config& config, std::int64_t samples) {
  DropoutMasks masks;
  at::manual_seed(5);
  for (int level = 0; level < kLevels; ++level)
    masks.push_back(at::rand({samples, std::int64_t{config.base_width} << level}).ge(0.3).div(0.7));
  return masks;
}

// Of a whole batch, a smaller one, and a whole one again.
const std::vector<std::int64_t> kBatches[] = {{8, 0, 3, 1}, {2, 7, 4}, {8, 0, 3, 1}};

struct Gradients {
  std::vector<double> losses;
  std::vector<at::Tensor> gradients;
};

Gradients gradients_of(const Config& config) {
  const Fixture f(config);
  BatchGradient gradient(config, f.layout, f.values, f.batches);
  Gradients found;
  for (const std::vector<std::int64_t>& indices : kBatches) {
    const auto samples = static_cast<std::int64_t>(indices.size());
    found.losses.push_back(gradient.compute(indices, 1, dropout(config, samples)));
    found.gradients.push_back(gradient.gradient().clone());
  }
  return found;
}

START_TEST(test_loss_and_gradient_are_those_of_the_cpu) {
  Config config = small_config();
  config.deep_supervision = _i == 0;
  const Gradients plain = gradients_of(config);
  config.precision = "bf16";
  const Gradients plain_bf16 = gradients_of(config);
  const training::HostLauncher host;
  const Gradients own_bf16 = gradients_of(config);
  config.precision = "fp32";
  const Gradients own = gradients_of(config);
  for (std::size_t i = 0; i < std::size(kBatches); ++i) {
    ck_assert_double_eq_tol(own.losses[i], plain.losses[i], 1e-4);
    ck_assert_double_eq_tol(own_bf16.losses[i], plain.losses[i], 2e-2);
    const double error = apart(own.gradients[i], plain.gradients[i]);
    ck_assert_msg(error < 1e-3, "the gradient is off by %g", error);
    // So few pixels to normalise leave little of bf16.
    const double bf16 = apart(own_bf16.gradients[i], plain.gradients[i]);
    ck_assert_double_lt(bf16, 1.3 * apart(plain_bf16.gradients[i], plain.gradients[i]));
  }
}
END_TEST

// The kernels by themselves, on gradients that lie above and below the limit.
START_TEST(test_optimizers_round_as_on_the_cpu) {
  Config config = small_config();
  config.optimizer = kRules[_i];
  config.clip = 8;
  const Fixture plain(config), own(config);
  const at::Tensor loss = at::zeros({}), gradient = at::zeros_like(own.values);
  const gpu::Kernels& kernels = gpu::host_kernels();
  gpu::StepState state = {};
  std::vector<double> parts(gpu::kNormParts);
  for (int i = 0; i < 5; ++i) {
    at::manual_seed(static_cast<std::uint64_t>(i));
    const at::Tensor given = at::randn_like(plain.values) * (0.01 * (i * i + 1));
    const gpu::StepNumbers numbers = {1e-2, i < 3 ? 0.25 : 1};
    gradient.copy_(given);
    gpu::OptimizerJob job = gpu::optimizer_job(config);
    job.count = static_cast<int>(gradient.numel());
    job.loss = loss.data_ptr<float>();
    job.numbers = &numbers;
    job.state = &state;
    job.parts = parts.data();
    job.values = own.values.data_ptr<float>();
    job.gradient = gradient.data_ptr<float>();
    job.first_moment = own.optimizer->first_moment.data_ptr<float>();
    job.second_moment = own.optimizer->second_moment.data_ptr<float>();
    job.average = own.average.data_ptr<float>();
    job.decay_mask = own.optimizer->decay_mask().data_ptr<float>();
    for (const auto kernel : {kernels.sum_squares, kernels.decide, kernels.update})
      ck_assert_int_eq(kernel(job, nullptr), 0);
    const at::Tensor clipped = given.clone();
    const double norm = clip_norm(clipped, config.clip);
    ck_assert_double_eq_tol(state.norm, norm, 1e-5 * norm);
    ck_assert(state.taken > 0);
    plain.optimizer->step(plain.values, clipped, numbers.learning_rate);
    plain.average.lerp_(plain.values, numbers.average_weight);
    ck_assert_double_lt(apart(own.values, plain.values), 1e-6);
    ck_assert_double_lt(apart(own.average, plain.average), 1e-6);
  }
  ck_assert_double_lt(apart(own.optimizer->first_moment, plain.optimizer->first_moment), 1e-5);
}
END_TEST

// Adam makes whole steps of the smallest gradients: small differences grow.
START_TEST(test_optimizers_step_as_on_the_cpu) {
  Config config = small_config();
  config.optimizer = kRules[_i];
  config.clip = 0.05;
  Fixture plain(config), own(config);
  BatchGradient gradient(config, plain.layout, plain.values, plain.batches);
  const training::HostLauncher host;
  BatchGradient own_gradient(config, own.layout, own.values, own.batches);
  gpu::Step step(config, {own.values, own.average, own.optimizer->decay_mask()},
                 own_gradient.on_device(), own.optimizer.get(), gpu::launcher_for(at::kCPU));
  for (int i = 0; i < 8; ++i) {  // beyond the steps after which work is captured
    const std::vector<std::int64_t> indices = {i, (i + 3) % 9, (i + 5) % 9, 8 - i};
    const double loss = gradient.compute(indices, 0, {});
    const double norm = clip_norm(gradient.gradient(), config.clip);
    plain.optimizer->step(plain.values, gradient.gradient(), 1e-3);
    plain.average.lerp_(plain.values, 0.25);
    step.submit(own_gradient.batch(indices, 0), {}, 1e-3, 0.25);
    ck_assert_uint_eq(step.unread(), 1);
    const gpu::Step::Result result = step.read();
    ck_assert(result.taken);
    ck_assert_double_eq_tol(result.loss, loss, 2e-2);
    if (i == 0) ck_assert_double_eq_tol(result.norm, norm, 1e-3 * norm);
    ck_assert_int_eq(own.optimizer->steps, plain.optimizer->steps);
  }
  assert_equal(step.take_notice(), "");
  ck_assert_double_lt(apart(own.values, plain.values), 5e-2);
  ck_assert_double_lt(apart(own.average, plain.average), 5e-2);
}
END_TEST

START_TEST(test_a_step_without_a_finite_gradient_changes_nothing) {
  const Config config = small_config();
  Fixture f(config);
  const training::HostLauncher host;
  BatchGradient gradient(config, f.layout, f.values, f.batches);
  gpu::Step step(config, {f.values, f.average, f.optimizer->decay_mask()}, gradient.on_device(),
                 f.optimizer.get(), gpu::launcher_for(at::kCPU));
  const at::Tensor before = f.values.clone();
  Batch batch = gradient.batch({0, 1, 2, 3}, 0);
  batch.images[1][0][3][3] = std::nan("");
  step.submit(batch, {}, 1e-2, 1);
  ck_assert(!step.read().taken);
  ck_assert(at::equal(f.values, before) && at::equal(f.average, before));
  ck_assert_int_eq(f.optimizer->steps, 0);
  ck_assert(!f.optimizer->first_moment.any().item<bool>());
  step.submit(gradient.batch({0, 1, 2, 3}, 0), {}, 1e-2, 1);
  ck_assert(step.read().taken);
  ck_assert_int_eq(f.optimizer->steps, 1);
  ck_assert(at::equal(f.values, f.average) && !at::equal(f.values, before));
}
END_TEST

struct Run {
  explicit Run(const Config& config, std::int64_t until = 1000) : set(discs(18, 32, 1)) {
    at::set_num_threads(1);
    std::filesystem::create_directories(folder.path() + "/checkpoint");
    RunEvents events;
    events.step = [this, until](const StepInfo& info) {
      steps.push_back(info.step);
      if (info.step >= until) stop = true;
    };
    run = std::make_unique<TrainingRun>(config, set, set, folder.path(), "", events);
  }
  TemporaryFolder folder;
  DecodedSet set;
  std::atomic<bool> stop{false};
  std::vector<std::int64_t> steps;
  std::unique_ptr<TrainingRun> run;
};

START_TEST(test_a_run_ends_near_the_cpus_and_tells_of_every_step) {
  Config config = small_config();
  config.epochs = 3;
  Run plain(config);
  plain.run->run(plain.stop);
  const training::HostLauncher host;
  Run own(config);
  ck_assert(own.run->run(own.stop) == RunEnd::finished);
  ck_assert(own.steps == plain.steps);
  const ProgressState &a = own.run->progress(), &b = plain.run->progress();
  ck_assert_uint_eq(a.history.size(), b.history.size());
  for (std::size_t i = 0; i < a.history.size(); ++i)
    ck_assert_double_eq_tol(a.history[i].train_loss, b.history[i].train_loss, 2e-2);
  ck_assert(is_scored(a.history.back()));
  ck_assert_int_eq(own.run->checkpoint().optimizer_steps, 15);
  ck_assert_double_lt(apart(own.run->checkpoint().average, plain.run->checkpoint().average), 0.05);
}
END_TEST

START_TEST(test_a_run_goes_on_bit_by_bit) {
  Config config = small_config();
  config.epochs = 3;
  const training::HostLauncher host;
  Run whole(config);
  whole.run->run(whole.stop);
  Run first(config, 7);
  ck_assert(first.run->run(first.stop) == RunEnd::interrupted);
  const Checkpoint saved = load_checkpoint(first.folder.path() + "/checkpoint", nullptr);
  ck_assert_int_ge(saved.progress.step, 7);
  ck_assert_int_eq(saved.progress.step, saved.optimizer_steps);
  Run second(config);
  second.run->resume(saved);
  ck_assert(second.run->run(second.stop) == RunEnd::finished);
  ck_assert(at::equal(second.run->checkpoint().values, whole.run->checkpoint().values));
  ck_assert(at::equal(second.run->checkpoint().average, whole.run->checkpoint().average));
}
END_TEST

}  // namespace

Suite* device_step_suite() {
  Suite* suite = suite_create("device step");
  TCase* tests = tcase_create("blocks on the CPU");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, test_loss_and_gradient_are_those_of_the_cpu, 0, 2);
  tcase_add_loop_test(tests, test_optimizers_round_as_on_the_cpu, 0, 3);
  tcase_add_loop_test(tests, test_optimizers_step_as_on_the_cpu, 0, 3);
  tcase_add_test(tests, test_a_step_without_a_finite_gradient_changes_nothing);
  tcase_add_test(tests, test_a_run_ends_near_the_cpus_and_tells_of_every_step);
  tcase_add_test(tests, test_a_run_goes_on_bit_by_bit);
  suite_add_tcase(suite, tests);
  return suite;
}
