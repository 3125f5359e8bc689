// SPDX-License-Identifier: MIT
// A widened network computes what the narrow one does.
#include <ATen/ATen.h>

#include "trainer/train/flat_parameters.h"
#include "trainer/train/widen.h"

#include "tests/check.h"
#include "tests/golden.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;

namespace {

constexpr int kWidths[][2] = {{2, 3}, {4, 6}, {3, 8}, {4, 4}};  // from, to
constexpr char kArchitecture[] = "improved-unet";

// Norms and biases too, so that a channel that is copied from elsewhere shows.
Parameters any_parameters(int width) {
  at::manual_seed(7);
  const auto layout = network_layout(kArchitecture, width);
  const at::Tensor values = trainer::initial_values(kArchitecture, layout, 5);
  return trainer::views_of(values + 0.1 * at::randn_like(values), layout);
}

at::Tensor logits(const Parameters& parameters, int width) {
  at::manual_seed(8);
  return make_network(kArchitecture, width, parameters)->forward(at::rand({2, 3, 48, 32})).full;
}

START_TEST(test_a_widened_network_computes_the_same) {
  const int from = kWidths[_i][0], to = kWidths[_i][1];
  const Parameters narrow = any_parameters(from);
  const double error =
      relative_l2(logits(trainer::widened(narrow, from, to, 1, 0), to), logits(narrow, from));
  ck_assert_msg(error < 1e-4, "logits are off by %g", error);
}
END_TEST

START_TEST(test_copies_differ) {
  const Parameters wide = trainer::widened(any_parameters(2), 2, 4, 1);
  const at::Tensor& weight = wide.at("encoder.1.context.a.conv.weight");
  const at::Tensor first = weight.narrow(0, 0, 4), second = weight.narrow(0, 4, 4);
  ck_assert(!at::equal(first, second));
  const Parameters other = trainer::widened(any_parameters(2), 2, 4, 2);
  ck_assert(!at::equal(weight, other.at("encoder.1.context.a.conv.weight")));
  ck_assert_double_lt(relative_l2(first, second), 0.1);
}
END_TEST

}  // namespace

Suite* widen_suite() {
  Suite* suite = suite_create("widen");
  TCase* tests = tcase_create("widen");
  tcase_add_loop_test(tests, test_a_widened_network_computes_the_same, 0,
                      static_cast<int>(std::size(kWidths)));
  tcase_add_test(tests, test_copies_differ);
  suite_add_tcase(suite, tests);
  return suite;
}
