// SPDX-License-Identifier: MIT
// InstanceNorm + LeakyReLU channels-last, in both directions, against LibTorch's in float64.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "model/network/norm/norm_activate.h"

#include "tests/check.h"
#include "tests/golden.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;

namespace {

constexpr double kEpsilon = 1e-5, kSlope = 0.01;
constexpr at::ScalarType kTypes[] = {at::kFloat, at::kBFloat16};

struct Shape {
  int pictures, channels, height, width;
};
// Whole and partial registers, one pixel more and less than what is summed in float32.
const Shape kShapes[] = {{2, 3, 5, 7},  {1, 8, 8, 8},   {3, 16, 13, 5}, {2, 24, 9, 4},
                         {1, 32, 1, 2}, {2, 47, 32, 2}, {1, 77, 6, 11}};

struct Results {
  at::Tensor out, x, weight, bias;  // and the gradients
};

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

struct Inputs {
  at::Tensor x, upper, weight, bias;

  Inputs(const Shape& s, at::ScalarType type, double mean, double deviation) {
    at::manual_seed(3);
    x = channels_last(
        (at::randn({s.pictures, s.channels, s.height, s.width}) * deviation + mean).to(type));
    upper = channels_last(at::randn_like(x));
    weight = at::rand({s.channels}) + 0.5;
    bias = at::randn({s.channels});
  }

  template <typename Operation>
  Results run(at::ScalarType type, const Operation& operation) const {
    const bool wide = type == at::kDouble;
    const auto leaf = [&](const at::Tensor& t) {
      return t.detach().clone().set_requires_grad(true);
    };
    const at::Tensor in = leaf(x.to(type));
    const at::Tensor w = leaf(wide ? weight.to(type) : weight);
    const at::Tensor b = leaf(wide ? bias.to(type) : bias);
    const at::Tensor out = operation(in, w, b);
    torch::autograd::backward({out}, {upper.to(type)});
    return {out.detach(), in.grad(), w.grad(), b.grad()};
  }

  Results own() const {
    return run(x.scalar_type(), [](const auto& in, const auto& w, const auto& b) {
      ck_assert(can_norm_activate(in, w));
      return norm_activate(in, w, b, kEpsilon, kSlope);
    });
  }

  Results reference() const {
    return run(at::kDouble, [](const auto& in, const auto& w, const auto& b) {
      return at::leaky_relu(at::instance_norm(in, w, b, {}, {}, true, 0, kEpsilon, false), kSlope);
    });
  }
};

void check_near(const at::Tensor& found, const at::Tensor& expected, double tolerance,
                const char* what) {
  const double error = relative_l2(found, expected);
  ck_assert_msg(error < tolerance, "%s is off by %g", what, error);
}

void check_all(const Results& found, const Results& expected, double values, double sums) {
  check_near(found.out, expected.out, values, "the output");
  check_near(found.x, expected.x, values, "the gradient of the input");
  check_near(found.weight, expected.weight, sums, "the gradient of the weight");
  check_near(found.bias, expected.bias, sums, "the gradient of the bias");
}

START_TEST(test_float32_is_as_near_as_rounding_allows) {
  const Inputs inputs(kShapes[_i], at::kFloat, 0.3, 1);
  check_all(inputs.own(), inputs.reference(), 2e-6, 2e-6);
}
END_TEST

START_TEST(test_bfloat16_is_rounded_once) {
  const Inputs inputs(kShapes[_i], at::kBFloat16, 0.3, 1);
  check_all(inputs.own(), inputs.reference(), 3e-3, 1e-5);
}
END_TEST

// Where the mean is a thousand deviations, sums of squares around zero would leave nothing.
START_TEST(test_a_large_mean_does_not_cancel_the_variance) {
  const Inputs inputs({2, 19, 40, 40}, at::kFloat, 1000, 1);
  check_all(inputs.own(), inputs.reference(), 1e-3, 1e-3);
}
END_TEST

START_TEST(test_a_constant_picture_gives_the_bias) {
  Inputs inputs({1, 16, 6, 6}, at::kFloat, 0, 1);
  inputs.x.fill_(0.7);
  const Results found = inputs.own();
  const at::Tensor expected =
      at::leaky_relu(inputs.bias, kSlope).view({1, 16, 1, 1}).expand_as(found.out);
  ck_assert(at::allclose(found.out, expected));
  ck_assert(at::isfinite(found.x).all().item<bool>());
}
END_TEST

// As the backward of a concatenation hands it on: a part of the channels of a wider tensor.
START_TEST(test_the_upper_gradient_may_be_a_part_of_a_wider_one) {
  const Inputs inputs({2, 24, 10, 6}, at::kFloat, 0, 1);
  const Results expected = inputs.own();
  const at::Tensor wide = channels_last(at::cat({at::randn_like(inputs.upper), inputs.upper}, 1));
  Inputs sliced = inputs;
  sliced.upper = wide.narrow(1, 24, 24);
  ck_assert(!sliced.upper.is_contiguous(at::MemoryFormat::ChannelsLast));
  const Results found = sliced.own();
  ck_assert(at::equal(found.x, expected.x));
  ck_assert(at::equal(found.weight, expected.weight));
}
END_TEST

START_TEST(test_what_is_no_number_stays_none) {
  Inputs inputs({1, 8, 4, 4}, kTypes[_i], 0, 1);
  inputs.x[0][5][2][1] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor out = inputs.own().out;
  ck_assert(at::isnan(out[0][5]).all().item<bool>());
  ck_assert(!at::isnan(out[0][4]).any().item<bool>());
}
END_TEST

START_TEST(test_the_digits_do_not_depend_on_threads) {
  const Inputs inputs({5, 40, 16, 16}, at::kBFloat16, 0, 1);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Results alone = inputs.own();
  at::set_num_threads(3);
  const Results together = inputs.own();
  at::set_num_threads(before);
  ck_assert(at::equal(alone.out, together.out) && at::equal(alone.x, together.x));
  ck_assert(at::equal(alone.weight, together.weight) && at::equal(alone.bias, together.bias));
}
END_TEST

START_TEST(test_other_tensors_are_not_taken) {
  const at::Tensor weight = at::rand({8}), x = channels_last(at::rand({2, 8, 4, 4}));
  ck_assert(can_norm_activate(x, weight));
  ck_assert(!can_norm_activate(x, weight.to(at::kBFloat16)));
  ck_assert(!can_norm_activate(x.to(at::kDouble), weight));
  ck_assert(!can_norm_activate(x.contiguous(), weight));
  ck_assert(!can_norm_activate(at::rand({8, 4, 4}), weight));
}
END_TEST

}  // namespace

Suite* norm_activate_suite() {
  Suite* suite = suite_create("norm_activate");
  TCase* tests = tcase_create("norm_activate");
  const int shapes = static_cast<int>(std::size(kShapes));
  tcase_add_loop_test(tests, test_float32_is_as_near_as_rounding_allows, 0, shapes);
  tcase_add_loop_test(tests, test_bfloat16_is_rounded_once, 0, shapes);
  tcase_add_test(tests, test_a_large_mean_does_not_cancel_the_variance);
  tcase_add_test(tests, test_a_constant_picture_gives_the_bias);
  tcase_add_test(tests, test_the_upper_gradient_may_be_a_part_of_a_wider_one);
  tcase_add_loop_test(tests, test_what_is_no_number_stays_none, 0, 2);
  tcase_add_test(tests, test_the_digits_do_not_depend_on_threads);
  tcase_add_test(tests, test_other_tensors_are_not_taken);
  suite_add_tcase(suite, tests);
  return suite;
}
