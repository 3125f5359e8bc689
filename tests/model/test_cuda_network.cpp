// SPDX-License-Identifier: MIT
// The CUDA engine's network with its kernels on the CPU, against LibTorch in double precision.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

#include "model/engine/cuda/device_faults.h"
#include "model/engine/cuda/network.h"

#include "tests/check.h"
#include "tests/model/random_network.h"
#include "tests/relative_l2.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;

namespace {

struct Case {
  int base_width, height, width, images;
};
const Case kCases[] = {{16, 32, 32, 1}, {5, 48, 32, 3},  {8, 64, 96, 2},
                       {1, 32, 80, 1},  {2, 256, 32, 1}, {16, 128, 128, 1}};

cuda::FusedNetwork fused(const RandomNetwork& network, int height, int width, at::ScalarType type) {
  return cuda::FusedNetwork(improved_unet_graph(network.base_width), network.parameters, height,
                            width, at::kCPU, type);
}

at::Tensor run(const cuda::FusedNetwork& network, const at::Tensor& pictures) {
  return network.forward(pictures, cuda::host_kernels(), nullptr);
}

START_TEST(test_probabilities_are_libtorchs_in_float32) {
  const Case& c = kCases[_i];
  const RandomNetwork network(c.base_width, static_cast<std::uint64_t>(_i) + 11);
  const at::Tensor pictures = at::rand({c.images, 3, c.height, c.width}, at::kFloat);
  const at::Tensor expected = network.probabilities(pictures, at::kDouble);
  const double own =
      std::max(1e-7, relative_l2(network.probabilities(pictures, at::kFloat), expected));
  const auto made = fused(network, c.height, c.width, at::kFloat);
  const at::Tensor found = run(made, pictures);
  const double error = relative_l2(found, expected);
  ck_assert_msg(error <= 3 * own, "width %d, %dx%d: error %g, LibTorch's own %g", c.base_width,
                c.width, c.height, error, own);
  ck_assert(at::equal(run(made, pictures), found));
}
END_TEST

START_TEST(test_bfloat16_costs_no_more_than_it_does_libtorch) {
  const RandomNetwork network(8, 23);
  const at::Tensor pictures = at::rand({1, 3, 64, 64}, at::kFloat);
  const at::Tensor expected = network.probabilities(pictures, at::kDouble);
  const double own = relative_l2(network.probabilities(pictures, at::kBFloat16), expected);
  const double error = relative_l2(run(fused(network, 64, 64, at::kBFloat16), pictures), expected);
  ck_assert_msg(error <= 1.5 * own, "error %g, LibTorch's own %g", error, own);
}
END_TEST

START_TEST(test_even_pictures_and_great_offsets_agree) {
  const RandomNetwork network(8, 29);
  for (const at::Tensor& pictures :
       {at::full({1, 3, 64, 64}, 0.25f), at::rand({1, 3, 64, 64}, at::kFloat) + 100}) {
    const at::Tensor expected = network.probabilities(pictures, at::kDouble);
    const double own = relative_l2(network.probabilities(pictures, at::kFloat), expected);
    const double error = relative_l2(run(fused(network, 64, 64, at::kFloat), pictures), expected);
    ck_assert_msg(error <= 30 * std::max(1e-7, own), "error %g, LibTorch's own %g", error, own);
  }
}
END_TEST

START_TEST(test_a_logit_that_is_not_finite_is_no_probability) {
  RandomNetwork network(4, 31);
  network.parameters["decoder.0.segment.bias"].fill_(std::numeric_limits<float>::infinity());
  const at::Tensor found =
      run(fused(network, 32, 32, at::kFloat), at::rand({1, 3, 32, 32}, at::kFloat));
  ck_assert(found.isnan().all().item<bool>());
}
END_TEST

START_TEST(test_a_failed_launch_is_an_error_with_its_code) {
  const RandomNetwork network(4, 37);
  cuda::Kernels failing = cuda::host_kernels();
  failing.activate = [](const cuda::ActivateJob&, void*) { return 700; };
  int code = 0;
  try {
    fused(network, 32, 32, at::kFloat)
        .forward(at::rand({1, 3, 32, 32}, at::kFloat), failing, nullptr);
  } catch (const cuda::LaunchError& error) {
    code = error.code;
  }
  ck_assert_int_eq(code, 700);
}
END_TEST

}  // namespace

Suite* cuda_network_suite() {
  Suite* suite = suite_create("CUDA network on the CPU");
  TCase* tests = tcase_create("parity");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, test_probabilities_are_libtorchs_in_float32, 0,
                      static_cast<int>(sizeof kCases / sizeof kCases[0]));
  tcase_add_test(tests, test_bfloat16_costs_no_more_than_it_does_libtorch);
  tcase_add_test(tests, test_even_pictures_and_great_offsets_agree);
  tcase_add_test(tests, test_a_logit_that_is_not_finite_is_no_probability);
  tcase_add_test(tests, test_a_failed_launch_is_an_error_with_its_code);
  suite_add_tcase(suite, tests);
  return suite;
}
