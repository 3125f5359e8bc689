// SPDX-License-Identifier: MIT
// The operations of a training step on a GPU, their kernels' blocks run in loops on the CPU, in
// both directions, against LibTorch's in float64.
#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <limits>

#include "model/network/training/operations.h"

#include "tests/check.h"
#include "tests/golden.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;

namespace {

constexpr double kEpsilon = 1e-5, kSlope = 0.01;

struct Shape {
  int pictures, channels, height, width;
};
// Around the widths of vectors, tiles, parts and blocks.
const Shape kShapes[] = {{2, 3, 5, 7},   {1, 8, 8, 8},     {3, 16, 13, 5}, {2, 24, 9, 4},
                         {1, 32, 1, 2},  {2, 47, 32, 2},   {1, 77, 6, 11}, {2, 64, 3, 5},
                         {1, 96, 20, 2}, {1, 16, 128, 70}, {2, 136, 3, 3}, {1, 1, 9, 9}};

struct Variant {
  bool factors, added;
};
const Variant kVariants[] = {{false, false}, {true, false}, {false, true}, {true, true}};

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor leaf(const at::Tensor& x) {
  return x.detach().clone().set_requires_grad(true);
}

struct Results {
  at::Tensor out;
  std::vector<at::Tensor> gradients;
};

struct Inputs {
  Shape shape;
  at::Tensor x, upper, weight, bias, factors, added;

  Inputs(const Shape& s, at::ScalarType type, double mean = 0.3) : shape(s) {
    at::manual_seed(3);
    const auto random = [&] {
      return channels_last(at::randn({s.pictures, s.channels, s.height, s.width}).to(type));
    };
    x = random() + mean;
    upper = random();
    added = random();
    weight = at::rand({s.channels}) + 0.5;
    bias = at::randn({s.channels});
    factors = at::rand({s.pictures, s.channels}).ge(0.3).to(at::kFloat) * 1.4;
  }

  Results own(const Variant& variant) const {
    const training::HostLauncher host;
    const at::Tensor in = leaf(x), w = leaf(weight), b = leaf(bias), plus = leaf(added);
    training::NormOptions options{kEpsilon, kSlope, {}, {}};
    if (variant.factors) options.factors = factors;
    if (variant.added) options.added = plus;
    const training::Launcher* launcher = training::launcher_for(x.device());
    ck_assert_ptr_nonnull(launcher);
    const at::Tensor out = training::norm_activate(*launcher, in, w, b, options);
    ck_assert(out.is_contiguous(at::MemoryFormat::ChannelsLast));
    torch::autograd::backward({out}, {upper});
    Results results{out.detach(), {in.grad(), w.grad(), b.grad()}};
    if (variant.added) results.gradients.push_back(plus.grad());
    return results;
  }

  Results reference(const Variant& variant) const {
    const auto wide = [](const at::Tensor& t) { return leaf(t.to(at::kDouble)); };
    const at::Tensor in = wide(x), w = wide(weight), b = wide(bias), plus = wide(added);
    const at::Tensor apart = in - in.mean({2, 3}, true);
    const at::Tensor normal = apart / (apart.square().mean({2, 3}, true) + kEpsilon).sqrt();
    at::Tensor out = at::leaky_relu(normal * w.view({1, -1, 1, 1}) + b.view({1, -1, 1, 1}), kSlope);
    if (variant.factors)
      out = out * factors.to(at::kDouble).view({shape.pictures, shape.channels, 1, 1});
    if (variant.added) out = plus + out;
    torch::autograd::backward({out}, {upper.to(at::kDouble)});
    Results results{out.detach(), {in.grad(), w.grad(), b.grad()}};
    if (variant.added) results.gradients.push_back(plus.grad());
    return results;
  }
};

void check_near(const at::Tensor& found, const at::Tensor& expected, double tolerance,
                const Shape& shape, std::size_t what) {
  const double error = (found.to(at::kDouble) - expected).norm().item<double>();
  const double size = expected.norm().item<double>();
  ck_assert_msg(error <= tolerance * (size + 1e-3),
                "%d x %d x %d x %d, result %zu: off by %g of %g", shape.pictures, shape.channels,
                shape.height, shape.width, what, error, size);
}

void check_all(const Results& found, const Results& expected, double values, double sums,
               const Shape& shape) {
  check_near(found.out, expected.out, values, shape, 0);
  for (std::size_t i = 0; i < expected.gradients.size(); ++i)
    check_near(found.gradients[i], expected.gradients[i], i == 1 || i == 2 ? sums : values, shape,
               i + 1);
}

START_TEST(test_float32_is_as_near_as_rounding_allows) {
  for (const Shape& shape : kShapes) {
    const Inputs inputs(shape, at::kFloat);
    // Of two pixels each gradient is a small difference.
    check_all(inputs.own(kVariants[_i]), inputs.reference(kVariants[_i]), 2e-5, 5e-6, shape);
  }
}
END_TEST

START_TEST(test_bfloat16_is_rounded_once) {
  for (const Shape& shape : kShapes) {
    const Inputs inputs(shape, at::kBFloat16);
    check_all(inputs.own(kVariants[_i]), inputs.reference(kVariants[_i]), 3e-3, 2e-5, shape);
  }
}
END_TEST

START_TEST(test_a_large_mean_does_not_cancel_the_variance) {
  const Shape shape = {2, 19, 40, 40};
  const Inputs inputs(shape, at::kFloat, 1000);
  check_all(inputs.own({}), inputs.reference({}), 1e-3, 1e-3, shape);
}
END_TEST

// As the backward of a concatenation hands it on.
START_TEST(test_the_upper_gradient_may_be_a_part_of_a_wider_one) {
  for (const int channels : {24, 20}) {
    const Inputs inputs({2, channels, 10, 6}, at::kBFloat16);
    const Results expected = inputs.own({});
    Inputs sliced = inputs;
    sliced.upper = channels_last(at::cat({at::randn_like(inputs.upper), inputs.upper}, 1))
                       .narrow(1, channels, channels);
    const Results found = sliced.own({});
    for (std::size_t i = 0; i < 3; ++i)
      ck_assert(at::equal(found.gradients[i], expected.gradients[i]));
  }
}
END_TEST

START_TEST(test_what_is_no_number_stays_none) {
  Inputs inputs({1, 8, 4, 4}, at::kBFloat16);
  inputs.x[0][5][2][1] = std::numeric_limits<double>::quiet_NaN();
  const at::Tensor out = inputs.own({}).out;
  ck_assert(at::isnan(out[0][5]).all().item<bool>());
  ck_assert(!at::isnan(out[0][4]).any().item<bool>());
}
END_TEST

START_TEST(test_a_picture_among_others_and_a_rerun_give_the_same_bits) {
  const Inputs inputs({3, 40, 19, 23}, at::kFloat);
  const Results all = inputs.own({true, true});
  ck_assert(at::equal(all.out, inputs.own({true, true}).out));
  Inputs one = inputs;
  one.shape.pictures = 1;
  for (at::Tensor* tensor : {&one.x, &one.upper, &one.added, &one.factors})
    *tensor = tensor->narrow(0, 1, 1).contiguous(tensor->dim() == 4 ? at::MemoryFormat::ChannelsLast
                                                                    : at::MemoryFormat::Contiguous);
  const Results alone = one.own({true, true});
  ck_assert(at::equal(alone.out[0], all.out[1]));
  ck_assert(at::equal(alone.gradients[0][0], all.gradients[0][1]));
}
END_TEST

START_TEST(test_a_head_is_a_convolution_to_one_channel) {
  const training::HostLauncher host;
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
    for (const Shape& shape : kShapes) {
      const Inputs inputs(shape, type);
      const at::Tensor weight = inputs.weight.view({1, -1, 1, 1}),
                       bias = inputs.bias.narrow(0, 0, 1),
                       upper = at::randn({shape.pictures, 1, shape.height, shape.width});
      const at::Tensor in = leaf(inputs.x), w = leaf(weight), b = leaf(bias);
      const at::Tensor out = training::head(*training::launcher_for(at::kCPU), in, w, b);
      torch::autograd::backward({out}, {upper});
      const at::Tensor in64 = leaf(inputs.x.to(at::kDouble)), w64 = leaf(weight.to(at::kDouble)),
                       b64 = leaf(bias.to(at::kDouble));
      const at::Tensor expected = at::conv2d(in64, w64, b64);
      torch::autograd::backward({expected}, {upper.to(at::kDouble)});
      check_near(out.detach(), expected.detach(), 2e-6, shape, 0);
      check_near(in.grad(), in64.grad(), type == at::kFloat ? 1e-6 : 3e-3, shape, 1);
      check_near(w.grad(), w64.grad(), 5e-6, shape, 2);
      check_near(b.grad(), b64.grad(), 5e-6, shape, 3);
    }
}
END_TEST

START_TEST(test_other_tensors_are_not_taken) {
  const at::Tensor x = channels_last(at::rand({2, 8, 4, 4}));
  ck_assert_ptr_null(training::launcher_of(x));
  const training::HostLauncher host;
  ck_assert_ptr_nonnull(training::launcher_of(x));
  ck_assert_ptr_null(training::launcher_of(x.to(at::kDouble)));
  ck_assert_ptr_null(training::launcher_of(x.contiguous()));
  ck_assert_ptr_null(training::launcher_of(at::rand({8, 4, 4})));
}
END_TEST

}  // namespace

Suite* training_operations_suite() {
  Suite* suite = suite_create("training operations");
  TCase* tests = tcase_create("blocks");
  tcase_set_timeout(tests, 120);
  const int variants = static_cast<int>(std::size(kVariants));
  tcase_add_loop_test(tests, test_float32_is_as_near_as_rounding_allows, 0, variants);
  tcase_add_loop_test(tests, test_bfloat16_is_rounded_once, 0, variants);
  tcase_add_test(tests, test_a_large_mean_does_not_cancel_the_variance);
  tcase_add_test(tests, test_the_upper_gradient_may_be_a_part_of_a_wider_one);
  tcase_add_test(tests, test_what_is_no_number_stays_none);
  tcase_add_test(tests, test_a_picture_among_others_and_a_rerun_give_the_same_bits);
  tcase_add_test(tests, test_a_head_is_a_convolution_to_one_channel);
  tcase_add_test(tests, test_other_tensors_are_not_taken);
  suite_add_tcase(suite, tests);
  return suite;
}
