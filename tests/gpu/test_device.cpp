// SPDX-License-Identifier: MIT
// The networks, their gradients, augmentation and the engines on the device that
// UNETSEG_TEST_DEVICE names ("cuda", "cuda:N", "cpu"), against the reference and against the CPU.
// Skipped without it.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "model/network/float32.h"
#include "model/network/stored_parameters.h"
#include "trainer/train/augment.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/loss.h"

#include "tests/golden.h"
#include "tests/gpu/device_tests.h"

using namespace unetseg;

namespace {

constexpr int kSkipped = 77;
constexpr int kGoldenWidth = 2;
const char* const kArchitectures[] = {"improved-unet", "seed-unet"};
const char* const kLosses[] = {"dice+bce", "seed-dice"};

Parameters golden_parameters(const Golden& golden, at::ScalarType type) {
  Parameters parameters;
  for (const auto& tensor : golden)
    if (tensor.first.rfind("parameter.", 0) == 0)
      parameters[tensor.first.substr(10)] =
          tensor.second.to(device(), type).clone().set_requires_grad(true);
  return parameters;
}

void check_forward(const char* architecture, at::ScalarType type, double tolerance) {
  forbid_tf32();
  const Golden golden = read_golden(std::string(architecture) + ".safetensors");
  const auto network = make_network(architecture, kGoldenWidth, golden_parameters(golden, type));
  const Logits logits = network->forward(golden.at("images").to(device(), type));
  ck_assert_double_lt(relative_l2(logits.full.cpu(), golden.at("full")), tolerance);
  ck_assert_double_lt(relative_l2(logits.half.cpu(), golden.at("half")), tolerance);
  ck_assert_double_lt(relative_l2(logits.quarter.cpu(), golden.at("quarter")), tolerance);
}

START_TEST(test_forward_matches_the_reference_in_float32) {
  check_forward(kArchitectures[_i], at::kFloat, 2e-5);
}
END_TEST

START_TEST(test_forward_matches_the_reference_in_float64) {
  check_forward(kArchitectures[_i], at::kDouble, 1e-11);
}
END_TEST

START_TEST(test_loss_and_gradients_match_the_reference) {
  const Golden golden = read_golden(std::string(kArchitectures[_i]) + ".safetensors");
  const Parameters parameters = golden_parameters(golden, at::kDouble);
  const auto network = make_network(kArchitectures[_i], kGoldenWidth, parameters);
  DropoutMasks masks;
  for (int level = 0; level < kLevels; ++level)
    masks.push_back(golden.at("dropout." + std::to_string(level)).to(device()));
  const at::Tensor loss = trainer::segmentation_loss(
      kLosses[_i], false, network->forward(golden.at("images").to(device()), masks),
      golden.at("target").to(device()));
  ck_assert_double_eq_tol(loss.item<double>(), golden.at("plain.loss").item<double>(), 1e-11);

  torch::autograd::backward({loss}, {});
  for (const auto& parameter : parameters) {
    const at::Tensor expected = golden.at("plain.gradient." + parameter.first);
    // A bias in front of InstanceNorm has no effect: both gradients are rounding alone.
    const double size = expected.norm().item<double>();
    const double error = (parameter.second.grad().cpu() - expected).norm().item<double>();
    ck_assert_msg(error < std::max(1e-8 * size, 1e-12), "%s: gradient is off by %g of %g",
                  parameter.first.c_str(), error, size);
  }
}
END_TEST

trainer::DecodedSet spots(int count, int side) {
  trainer::DecodedSet set;
  set.width = set.height = side;
  for (int i = 0; i < count; ++i) {
    set.ids.push_back("spot-" + std::to_string(i));
    set.aspect.push_back(1.25f);
    for (int y = 0; y < side; ++y)
      for (int x = 0; x < side; ++x) {
        const double r = std::hypot(x - side * .5, y - side * .4), edge = side * (.2 + .02 * i);
        const auto lesion = static_cast<std::uint8_t>(255 * std::clamp(edge - r, 0., 1.));
        const auto skin = static_cast<std::uint8_t>(200 - lesion / 2);
        set.images.insert(set.images.end(), {skin, static_cast<std::uint8_t>(skin / 2 + x),
                                             static_cast<std::uint8_t>(y)});
        set.masks.push_back(lesion);
      }
  }
  return set;
}

START_TEST(test_augmented_batches_equal_those_of_the_cpu) {
  forbid_tf32();
  const trainer::DecodedSet set = spots(8, 128);
  const trainer::BatchMaker here(set, 64, 64, device()), cpu(set, 64, 64, at::kCPU);
  const std::vector<std::int64_t> indices = {5, 0, 7, 2, 3, 1, 6, 4};
  trainer::AugmentationPolicy policy;
  policy.noise = policy.no_lesion = 0;  // a GPU draws its own
  policy.blur = policy.jpeg = policy.artefacts = 0.5;
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
    const trainer::Batch a = here.augmented(indices, policy, 9, epoch);
    const trainer::Batch b = cpu.augmented(indices, policy, 9, epoch);
    ck_assert_double_lt((a.images.cpu() - b.images).abs().mean().item<double>(), 1e-4);
    ck_assert_double_lt((a.target.cpu() - b.target).abs().mean().item<double>(), 1e-4);
  }
}
END_TEST

START_TEST(test_noise_is_the_same_each_time_and_as_strong_as_planned) {
  const trainer::DecodedSet set = spots(8, 128);
  const trainer::BatchMaker batches(set, 64, 64, device());
  const std::vector<std::int64_t> indices = {5, 0, 7, 2};
  trainer::AugmentationPolicy calm = trainer::augmentation_policy("light");
  calm.no_lesion = 0;
  trainer::AugmentationPolicy noisy = calm;
  noisy.noise = 1;
  const at::Tensor noise = batches.augmented(indices, noisy, 9, 0).images -
                           batches.augmented(indices, calm, 9, 0).images;
  ck_assert(at::equal(noise, batches.augmented(indices, noisy, 9, 0).images -
                                 batches.augmented(indices, calm, 9, 0).images));
  ck_assert_double_lt(std::abs(noise.mean().item<double>()), 2e-3);
  ck_assert_double_lt(noise.std().item<double>(), calm.noise_up_to);
  ck_assert_double_gt(noise.std().item<double>(), 0.1 * calm.noise_up_to);
}
END_TEST

}  // namespace

int main() {
  if (asked_device().empty()) {
    std::fprintf(stderr, "UNETSEG_TEST_DEVICE is not set\n");
    return kSkipped;
  }
  Suite* suite = suite_create("device");
  TCase* cases = tcase_create(asked_device().c_str());
  tcase_set_timeout(cases, 120);  // the first use of a GPU loads gigabytes of kernels
  tcase_add_loop_test(cases, test_forward_matches_the_reference_in_float32, 0, 2);
  tcase_add_loop_test(cases, test_forward_matches_the_reference_in_float64, 0, 2);
  tcase_add_loop_test(cases, test_loss_and_gradients_match_the_reference, 0, 2);
  tcase_add_test(cases, test_augmented_batches_equal_those_of_the_cpu);
  tcase_add_test(cases, test_noise_is_the_same_each_time_and_as_strong_as_planned);
  suite_add_tcase(suite, cases);
  suite_add_tcase(suite, training_cases());
  suite_add_tcase(suite, engine_cases());
  return run_suite(suite);
}
