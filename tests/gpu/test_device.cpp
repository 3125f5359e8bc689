// SPDX-License-Identifier: MIT
// The networks, their gradients, augmentation and the engine on the device that UNETSEG_TEST_DEVICE
// names ("cuda", "cuda:N", "cpu"), against the reference and against the CPU. Skipped without it.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "model/engine/engine.h"
#include "model/network/float32.h"
#include "model/network/stored_parameters.h"
#include "trainer/train/augment.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/loss.h"

#include "tests/check.h"
#include "tests/golden.h"

using namespace unetseg;

namespace {

constexpr int kSkipped = 77;
constexpr int kGoldenWidth = 2;
const char* const kArchitectures[] = {"improved-unet", "seed-unet"};
const char* const kLosses[] = {"dice+bce", "seed-dice"};

std::string asked_device() {
  const char* name = std::getenv("UNETSEG_TEST_DEVICE");
  return name != nullptr ? name : "";
}

at::Device device() {
  return at::Device(probe_device(asked_device(), nullptr));
}

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
  const trainer::AugmentationPolicy policy;
  for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
    const trainer::Batch a = here.augmented(indices, policy, 9, epoch);
    const trainer::Batch b = cpu.augmented(indices, policy, 9, epoch);
    ck_assert_double_lt((a.images.cpu() - b.images).abs().mean().item<double>(), 1e-4);
    ck_assert_double_lt((a.target.cpu() - b.target).abs().mean().item<double>(), 1e-4);
  }
}
END_TEST

// Of two pictures, by an engine with weights from `file`.
std::vector<float> probabilities(const std::string& file, const std::string& device,
                                 UnetsegPrecision precision, const at::Tensor& images) {
  const std::size_t pixels = std::size_t{128} * 128;
  const float* inputs[] = {images.data_ptr<float>(), images.data_ptr<float>() + 3 * pixels};
  std::vector<float> result(2 * pixels);
  float* outputs[] = {result.data(), result.data() + pixels};
  UnetsegOpenOptions options = {};
  options.model_file = file.c_str();
  options.device = device.c_str();
  options.precision = precision;
  make_engine(options)->run(inputs, outputs, 2);
  return result;
}

void check_engine(const char* architecture, UnetsegPrecision precision, double tolerance) {
  const std::string file =
      (std::filesystem::temp_directory_path() / "unetseg-test-device.safetensors").string();
  ModelCard card;
  card.architecture = architecture;
  const auto layout = network_layout(card.architecture, card.base_width);
  save_parameters(file,
                  trainer::views_of(trainer::initial_values(card.architecture, layout, 4), layout),
                  card, false);
  const at::Tensor images = at::randn({2, 3, 128, 128});
  const auto expected = probabilities(file, "cpu", UNETSEG_PRECISION_FP32, images);
  const auto found = probabilities(file, asked_device(), precision, images);
  std::filesystem::remove(file);
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) - expected[i]));
  std::fprintf(stderr, "%s: probabilities differ by %.2g at most\n", architecture, worst);
  ck_assert_double_lt(worst, tolerance);
}

START_TEST(test_engine_agrees_with_the_engine_of_the_cpu) {
  check_engine(kArchitectures[_i], UNETSEG_PRECISION_AUTO, 1e-3);
}
END_TEST

START_TEST(test_halves_agree_with_the_engine_of_the_cpu) {
  if (device().is_cuda()) check_engine(kArchitectures[_i], UNETSEG_PRECISION_FP16, 5e-2);
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
  tcase_add_loop_test(cases, test_engine_agrees_with_the_engine_of_the_cpu, 0, 2);
  tcase_add_loop_test(cases, test_halves_agree_with_the_engine_of_the_cpu, 0, 2);
  suite_add_tcase(suite, cases);
  return run_suite(suite);
}
