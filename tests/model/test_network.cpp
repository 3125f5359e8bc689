// SPDX-License-Identifier: MIT
// Both architectures, their losses and gradients against PyTorch in float64 (tests/reference).
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "model/error.h"
#include "model/network/network.h"
#include "model/storage/safetensors.h"
#include "trainer/train/flat_parameters.h"
#include "trainer/train/loss.h"

#include "tests/check.h"
#include "tests/golden.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using trainer::segmentation_loss;

namespace {

constexpr int kGoldenWidth = 2;

struct Architecture {
  const char* name;
  const char* loss;
  std::int64_t parameters_at_16;
};
const Architecture kArchitectures[] = {{"improved-unet", "dice+bce", 3186483},
                                       {"seed-unet", "seed-dice", 3175859}};

Parameters golden_parameters(const Golden& golden, at::ScalarType type) {
  Parameters parameters;
  for (const auto& tensor : golden)
    if (tensor.first.rfind("parameter.", 0) == 0)
      parameters[tensor.first.substr(10)] = tensor.second.to(type).clone().set_requires_grad(true);
  return parameters;
}

DropoutMasks golden_masks(const Golden& golden) {
  DropoutMasks masks;
  for (int i = 0; i < kLevels; ++i) masks.push_back(golden.at("dropout." + std::to_string(i)));
  return masks;
}

void check_forward(const Architecture& architecture, at::ScalarType type, double tolerance) {
  const Golden golden = read_golden(std::string(architecture.name) + ".safetensors");
  const auto network =
      make_network(architecture.name, kGoldenWidth, golden_parameters(golden, type));
  const Logits logits = network->forward(golden.at("images").to(type));
  ck_assert_double_lt(relative_l2(logits.full, golden.at("full")), tolerance);
  ck_assert_double_lt(relative_l2(logits.half, golden.at("half")), tolerance);
  ck_assert_double_lt(relative_l2(logits.quarter, golden.at("quarter")), tolerance);
}

START_TEST(test_layout_has_the_published_parameter_count) {
  const Architecture& architecture = kArchitectures[_i];
  std::int64_t total = 0;
  for (const ParameterLayout& parameter : network_layout(architecture.name, 16))
    total += element_count(parameter);
  ck_assert_int_eq(total, architecture.parameters_at_16);
}
END_TEST

START_TEST(test_forward_matches_pytorch_in_float32) {
  check_forward(kArchitectures[_i], at::kFloat, 1e-5);
}
END_TEST

START_TEST(test_forward_matches_pytorch_in_float64) {
  check_forward(kArchitectures[_i], at::kDouble, 1e-12);
}
END_TEST

START_TEST(test_loss_and_gradients_match_pytorch) {
  const Architecture& architecture = kArchitectures[_i];
  const Golden golden = read_golden(std::string(architecture.name) + ".safetensors");
  const Parameters parameters = golden_parameters(golden, at::kDouble);
  const auto network = make_network(architecture.name, kGoldenWidth, parameters);
  const Logits logits = network->forward(golden.at("images"), golden_masks(golden));
  const at::Tensor loss = segmentation_loss(architecture.loss, false, logits, golden.at("target"));
  ck_assert_double_eq_tol(loss.item<double>(), golden.at("plain.loss").item<double>(), 1e-12);
  const at::Tensor deep = segmentation_loss(architecture.loss, true, logits, golden.at("target"));
  ck_assert_double_eq_tol(deep.item<double>(), golden.at("deep.loss").item<double>(), 1e-12);

  torch::autograd::backward({loss}, {});
  for (const auto& parameter : parameters) {
    const at::Tensor expected = golden.at("plain.gradient." + parameter.first);
    // A bias in front of InstanceNorm has no effect: both gradients are rounding alone.
    const double size = expected.norm().item<double>();
    const double error = (parameter.second.grad() - expected).norm().item<double>();
    ck_assert_msg(error < std::max(1e-9 * size, 1e-13), "%s: gradient is off by %g of %g",
                  parameter.first.c_str(), error, size);
  }
}
END_TEST

// Channels-last normalisation and activation are an operation of our own.
START_TEST(test_flat_gradients_equal_separate_ones) {
  const auto format = _i == 0 ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast;
  const Golden golden = read_golden("improved-unet.safetensors");
  const auto layout = network_layout("improved-unet", kGoldenWidth);
  const at::Tensor values = at::empty({trainer::total_elements(layout)});
  const at::Tensor gradients = at::zeros_like(values);
  for (const auto& view : trainer::views_of(values, layout))
    view.second.copy_(golden.at("parameter." + view.first));
  const auto network = make_network("improved-unet", kGoldenWidth,
                                    trainer::trainable_views(values, gradients, layout));
  const Logits logits =
      network->forward(golden.at("images").to(at::kFloat).contiguous(format), golden_masks(golden));
  const at::Tensor loss =
      segmentation_loss("dice+bce", false, logits, golden.at("target").to(at::kFloat));
  torch::autograd::backward({loss}, {});
  for (const auto& view : trainer::views_of(gradients, layout))
    ck_assert_msg(relative_l2(view.second, golden.at("plain.gradient." + view.first)) < 1e-3, "%s",
                  view.first.c_str());
}
END_TEST

START_TEST(test_any_multiple_of_16_works_and_batches_are_independent) {
  const int sizes[][2] = {{32, 32}, {48, 80}, {96, 32}};
  const Architecture& architecture = kArchitectures[_i];
  const auto layout = network_layout(architecture.name, 3);
  // In float64, where the order of additions, which depends on the batch, is far below any fault.
  const at::Tensor values = trainer::initial_values(architecture.name, layout, 5).to(at::kDouble);
  const auto network = make_network(architecture.name, 3, trainer::views_of(values, layout));
  for (const auto& size : sizes) {
    const at::Tensor images = at::rand({3, 3, size[0], size[1]}, at::kDouble);
    const at::Tensor together = network->forward(images).full;
    ck_assert(together.sizes() == at::IntArrayRef({3, 1, size[0], size[1]}));
    const at::Tensor alone = network->forward(images.narrow(0, 1, 1)).full;
    ck_assert_double_lt(relative_l2(together.narrow(0, 1, 1), alone), 1e-11);
  }
}
END_TEST

START_TEST(test_m7_missing_extra_and_misshapen_tensors_are_listed) {
  const auto layout = network_layout("improved-unet", 2);
  Parameters parameters =
      trainer::views_of(trainer::initial_values("improved-unet", layout, 1), layout);
  parameters["decoder.9.up.conv.weight"] = at::zeros({1});
  parameters.erase("encoder.0.down.norm.bias");
  parameters["decoder.0.segment.bias"] = at::zeros({2});
  try {
    make_network("improved-unet", 2, parameters);
    ck_abort_msg("three differences were accepted");
  } catch (const Error& error) {
    const std::string text = error.what();
    ck_assert(error.fault() == Fault::settings);
    ck_assert_msg(text.find("encoder.0.down.norm.bias is missing") != std::string::npos, "%s",
                  text.c_str());
    ck_assert_msg(text.find("decoder.0.segment.bias is [2] where [1]") != std::string::npos, "%s",
                  text.c_str());
    ck_assert_msg(text.find("decoder.9.up.conv.weight is not part") != std::string::npos, "%s",
                  text.c_str());
  }
}
END_TEST

START_TEST(test_m7_unknown_architecture_is_refused) {
  try {
    network_layout("u-net", 16);
    ck_abort_msg("an unknown architecture was accepted");
  } catch (const Error& error) {
    ck_assert(error.fault() == Fault::settings);
  }
}
END_TEST

}  // namespace

Suite* network_suite() {
  Suite* suite = suite_create("network");
  TCase* both = tcase_create("architectures");
  tcase_set_timeout(both, 60);
  const int n = 2;
  tcase_add_loop_test(both, test_layout_has_the_published_parameter_count, 0, n);
  tcase_add_loop_test(both, test_forward_matches_pytorch_in_float32, 0, n);
  tcase_add_loop_test(both, test_forward_matches_pytorch_in_float64, 0, n);
  tcase_add_loop_test(both, test_loss_and_gradients_match_pytorch, 0, n);
  tcase_add_loop_test(both, test_any_multiple_of_16_works_and_batches_are_independent, 0, n);
  tcase_add_loop_test(both, test_flat_gradients_equal_separate_ones, 0, 2);
  tcase_add_test(both, test_m7_missing_extra_and_misshapen_tensors_are_listed);
  tcase_add_test(both, test_m7_unknown_architecture_is_refused);
  suite_add_tcase(suite, both);
  return suite;
}
