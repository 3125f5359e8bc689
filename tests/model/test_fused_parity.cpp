// SPDX-License-Identifier: MIT
// The fused engine against LibTorch in double precision: random weights and pictures, many sizes,
// every set of kernels that this processor runs.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cmath>
#include <limits>

#include "model/engine/fused/inference.h"
#include "model/error.h"

#include "tests/check.h"
#include "tests/model/random_network.h"
#include "tests/relative_l2.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::fused;

namespace {

const char* const kTables[] = {"generic",    "avx2",        "avx512",
                               "plain-bf16", "avx512-bf16", "amx-bf16"};

// Winograd's transforms round more than LibTorch's direct convolutions do.
constexpr double kTimesLibtorchsError = 30;
// In bfloat16; where the picture itself is lost in it, as much as LibTorch loses.
constexpr double kBf16Error = 4e-2;

struct Case {
  int base_width, height, width;
};
const Case kCases[] = {{16, 32, 32}, {16, 64, 48}, {4, 128, 128}, {5, 48, 32},   {24, 32, 80},
                       {2, 512, 32}, {2, 32, 512}, {3, 208, 176}, {16, 128, 128}};

std::shared_ptr<const PackedNetwork> packed(const RandomNetwork& network, int height, int width,
                                            const Kernels& kernels) {
  return std::make_shared<PackedNetwork>(
      improved_unet_graph(network.base_width),
      [&](const std::string& name) { return network.parameters.at(name).data_ptr<float>(); },
      height, width, kernels);
}

at::Tensor run(Inference* inference, const at::Tensor& picture, ThreadPool* pool) {
  at::Tensor result = at::full({1, picture.size(1), picture.size(2)}, -1.0f);
  const Frame frame = {picture.data_ptr<float>(), result.data_ptr<float>()};
  if (pool != nullptr)
    inference->run(frame, *pool);
  else
    inference->run_alone(frame);
  return result;
}

void assert_agrees(const RandomNetwork& network, const at::Tensor& picture) {
  const at::Tensor pictures = picture.unsqueeze(0);
  const at::Tensor reference = network.probabilities(pictures, at::kDouble);
  // Where LibTorch happens to be exact, rounding of the result is still allowed.
  const double own =
      std::max(1e-7, relative_l2(network.probabilities(pictures, at::kFloat), reference));
  const double most_in_bf16 =
      std::max(kBf16Error, relative_l2(network.probabilities(pictures, at::kBFloat16), reference));
  ThreadPool pool(2);
  for (const char* name : kTables) {
    const Kernels* kernels = kernels_named(name);
    if (kernels == nullptr) continue;
    Inference inference(packed(network, static_cast<int>(picture.size(1)),
                               static_cast<int>(picture.size(2)), *kernels),
                        pool.threads());
    // Whatever is read before it is written shows.
    inference.memory().fill(std::numeric_limits<float>::quiet_NaN());
    const at::Tensor result = run(&inference, picture, &pool);
    const double error = relative_l2(result, reference);
    const double most = kernels->bf16 != nullptr ? most_in_bf16 : kTimesLibtorchsError * own;
    ck_assert_msg(error <= most, "%s, width %d, %ldx%ld: error %g, LibTorch's own %g", name,
                  network.base_width, static_cast<long>(picture.size(2)),
                  static_cast<long>(picture.size(1)), error, own);
    ck_assert(at::equal(run(&inference, picture, &pool), result));
  }
}

START_TEST(test_probabilities_are_libtorchs) {
  const Case& c = kCases[_i];
  const RandomNetwork network(c.base_width, static_cast<std::uint64_t>(_i) + 1);
  assert_agrees(network, at::rand({3, c.height, c.width}, at::kFloat));
}
END_TEST

// InstanceNorm of a map without variance, and of one whose mean is far from zero.
START_TEST(test_even_pictures_and_great_offsets_agree) {
  const RandomNetwork network(8, 7);
  assert_agrees(network, at::full({3, 64, 64}, 0.25f));
  assert_agrees(network, at::rand({3, 64, 64}, at::kFloat) + 100);
}
END_TEST

START_TEST(test_any_number_of_threads_gives_the_same_digits) {
  const RandomNetwork network(16, 3);
  const at::Tensor picture = at::rand({3, 96, 64}, at::kFloat);
  const auto made = packed(network, 96, 64, *best_kernels());
  Inference alone(made, 1);
  const at::Tensor expected = run(&alone, picture, nullptr);
  for (const unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    Inference inference(made, pool.threads());
    for (int i = 0; i < 5; ++i) ck_assert(at::equal(run(&inference, picture, &pool), expected));
  }
}
END_TEST

START_TEST(test_a_value_that_is_not_finite_is_an_error) {
  RandomNetwork network(4, 5);
  network.parameters["decoder.0.segment.bias"].fill_(std::numeric_limits<float>::infinity());
  ThreadPool pool(2);
  Inference inference(packed(network, 32, 32, *best_kernels()), pool.threads());
  const at::Tensor picture = at::rand({3, 32, 32}, at::kFloat);
  for (int i = 0; i < 3; ++i) {
    bool refused = false;
    try {
      run(&inference, picture, &pool);
    } catch (const Error& error) {
      refused = error.fault() == Fault::bad_result;
    }
    ck_assert(refused);
  }
}
END_TEST

}  // namespace

Suite* fused_suite() {
  Suite* suite = suite_create("fused engine");
  TCase* tests = tcase_create("parity");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, test_probabilities_are_libtorchs, 0,
                      static_cast<int>(sizeof kCases / sizeof kCases[0]));
  tcase_add_test(tests, test_even_pictures_and_great_offsets_agree);
  tcase_add_test(tests, test_any_number_of_threads_gives_the_same_digits);
  tcase_add_test(tests, test_a_value_that_is_not_finite_is_an_error);
  suite_add_tcase(suite, tests);
  return suite;
}
