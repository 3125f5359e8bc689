// SPDX-License-Identifier: MIT
// What a training step does on the device, against the CPU.
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <filesystem>

#include "model/network/training/operations.h"
#include "model/network/float32.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/gpu/step.h"
#include "trainer/train/run.h"

#include "tests/assertions.h"
#include "tests/golden.h"
#include "tests/gpu/device_tests.h"
#include "tests/temporary_folder.h"
#include "tests/trainer/drawn_discs.h"

using namespace unetseg;
using namespace unetseg::trainer;

namespace {

constexpr int kSide = 64;

// One for kernels of our own; without nvcc LibTorch's take their place.
bool has_kernels() {
  return gpu::launcher_for(device()).kernels != nullptr;
}

at::Tensor leaf(const at::Tensor& x) {
  return x.detach().clone().set_requires_grad(true);
}

struct Results {
  at::Tensor out, head, x, added, weight, bias;
};

// Normalised, activated, dropped and added to, and a head on top of it, in both directions.
Results operations_on(const at::Device& where, at::ScalarType type, int channels) {
  const training::Launcher* launcher = training::launcher_for(where);
  at::manual_seed(7);
  const auto random = [&] {
    return at::randn({3, channels, 33, 46}).to(type).contiguous(at::MemoryFormat::ChannelsLast);
  };
  const at::Tensor x = leaf(random().to(where)), added = leaf(random().to(where));
  const at::Tensor weight = leaf((at::rand({channels}) + 0.5).to(where)),
                   bias = leaf(at::randn({channels}).to(where));
  const at::Tensor factors = at::rand({3, channels}).to(where);
  const at::Tensor upper = random().to(where), upper_head = at::randn({3, 1, 33, 46}).to(where);
  const at::Tensor out =
      training::norm_activate(*launcher, x, weight, bias, {1e-5, 0.01, factors, added});
  const at::Tensor head =
      training::head(*launcher, out, weight.view({1, -1, 1, 1}), bias.narrow(0, 0, 1));
  torch::autograd::backward({out, head}, {upper, upper_head});
  return {out.detach().cpu(), head.detach().cpu(), x.grad().cpu(),
          added.grad().cpu(), weight.grad().cpu(), bias.grad().cpu()};
}

START_TEST(test_operations_are_those_of_the_blocks_on_the_cpu) {
  if (!has_kernels()) return;
  const training::HostLauncher host;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
    for (const int channels : {3, 16, 24, 48, 96, 384}) {
      const Results found = operations_on(device(), type, channels),
                    expected = operations_on(at::kCPU, type, channels);
      const double tolerance = type == at::kFloat ? 1e-5 : 5e-3;
      for (const auto member : {&Results::out, &Results::head, &Results::x, &Results::added,
                                &Results::weight, &Results::bias}) {
        const double error = relative_l2(found.*member, expected.*member);
        ck_assert_msg(error < tolerance, "%d channels of type %d: off by %g", channels,
                      static_cast<int>(type), error);
      }
    }
}
END_TEST

Config config_on(const at::Device& where, const char* precision) {
  Config config = recipe("default");
  config.base_width = 8;
  config.input_width = config.input_height = kSide;
  config.batch_size = 8;
  config.device = where.str();
  config.precision = precision;
  config.memory_format = "channels-last";
  config.threads = 1;
  return config;
}

struct Losses {
  std::vector<double> losses;
  at::Tensor gradient, values;
};

// Ten steps on drawn discs, as the device takes them.
Losses steps_on(const at::Device& where, const char* precision, std::string* notice) {
  const Config config = config_on(where, precision);
  const DecodedSet set = discs(16, kSide, 1);
  const auto layout = network_layout(config.architecture, config.base_width);
  const at::Tensor values = initial_values(config.architecture, layout, 1).to(where);
  const BatchMaker batches(set, kSide, kSide, where);
  BatchGradient gradient(config, layout, values, batches);
  const auto optimizer = make_optimizer(config, decay_mask(layout).to(where));
  gpu::Step step(config, {values, values.clone(), optimizer->decay_mask()}, gradient.on_device(),
                 optimizer.get(), gpu::launcher_for(where));
  Losses found;
  for (int i = 0; i < 10; ++i) {
    std::vector<std::int64_t> indices;
    for (int k = 0; k < (i == 7 ? 5 : 8); ++k) indices.push_back((i * 3 + k) % 16);
    step.submit(batches.plain(indices), {}, 1e-3, 0.1);
    if (i == 0) found.gradient = gradient.gradient().cpu();
    if (step.unread() == gpu::Step::kAhead) found.losses.push_back(step.read().loss);
  }
  while (step.unread() > 0) found.losses.push_back(step.read().loss);
  found.values = values.cpu();
  *notice = step.take_notice();
  return found;
}

START_TEST(test_steps_are_those_of_the_cpu_and_are_captured) {
  if (!has_kernels()) return;
  forbid_tf32();
  const training::HostLauncher host;
  for (const char* precision : {"fp32", "bf16"}) {
    std::string notice, none;
    const Losses found = steps_on(device(), precision, &notice),
                 expected = steps_on(at::kCPU, precision, &none);
    assert_equal(notice, "");
    const bool bf16 = std::string(precision) == "bf16";
    const double gradient = relative_l2(found.gradient, expected.gradient);
    ck_assert_msg(gradient < (bf16 ? 0.2 : 1e-2), "%s: the gradient is off by %g", precision,
                  gradient);
    ck_assert_uint_eq(found.losses.size(), expected.losses.size());
    for (std::size_t i = 0; i < found.losses.size(); ++i)
      ck_assert_double_eq_tol(found.losses[i], expected.losses[i], bf16 ? 5e-2 : 1e-2);
    ck_assert_double_lt(relative_l2(found.values, expected.values), bf16 ? 5e-2 : 2e-2);
  }
}
END_TEST

START_TEST(test_a_run_learns_on_the_device) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() + "/checkpoint");
  const DecodedSet train = discs(20, kSide, 1), validation = discs(6, kSide, 2);
  Config config = config_on(device(), "bf16");
  config.epochs = 120;
  config.augmentation = "light";
  std::vector<std::string> notes;
  std::int64_t steps = 0;
  RunEvents events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  events.step = [&](const StepInfo& info) { ck_assert_int_eq(info.step, ++steps); };
  TrainingRun run(config, train, validation, folder.path(), "data", events);
  const std::atomic<bool> stop{false};
  ck_assert(run.run(stop) == RunEnd::finished);
  for (const std::string& note : notes) std::fprintf(stderr, "%s\n", note.c_str());
  ck_assert_int_eq(steps, 360);
  const EpochRecord& last = run.progress().history.back();
  ck_assert(is_scored(last));
  ck_assert_double_gt(last.validation_dice, 0.85);
}
END_TEST

}  // namespace

TCase* training_cases() {
  TCase* cases = tcase_create("training");
  tcase_set_timeout(cases, 300);
  tcase_add_test(cases, test_operations_are_those_of_the_blocks_on_the_cpu);
  tcase_add_test(cases, test_steps_are_those_of_the_cpu_and_are_captured);
  tcase_add_test(cases, test_a_run_learns_on_the_device);
  return cases;
}
