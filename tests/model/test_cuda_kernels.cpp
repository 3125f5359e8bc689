// SPDX-License-Identifier: MIT
// The blocks of the CUDA engine's kernels, run in loops on the CPU, against LibTorch in double
// precision: every number format, variant and awkward shape.
#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "model/engine/cuda/kernels.h"
#include "model/network/layers.h"

#include "tests/check.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::cuda;

namespace {

constexpr double kCanary = -77;

struct Format {
  NumberType type;
  at::ScalarType scalar;
  double epsilon;
};
const Format kFormats[] = {{NumberType::fp32, at::kFloat, 2e-6},
                           {NumberType::fp16, at::kHalf, 1e-3},
                           {NumberType::bf16, at::kBFloat16, 8e-3}};

// Around the widths of vectors, tiles, parts and blocks.
struct Shape {
  int images, channels, height, width;
};
const Shape kShapes[] = {{1, 16, 8, 8},  {3, 5, 7, 9},   {1, 1, 1, 1},   {2, 64, 3, 5},
                         {1, 96, 2, 2},  {2, 130, 5, 4}, {1, 8, 33, 31}, {1, 16, 128, 128},
                         {1, 70, 17, 1}, {1, 512, 2, 3}, {2, 24, 1, 300}};

at::Tensor nhwc(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.to(type).contiguous(at::MemoryFormat::ChannelsLast);
}

// A node's output with its parameters, and what the kernels know of it.
class Node {
 public:
  Node(const Shape& shape, const Format& format, const at::Tensor& values)
      : raw_(nhwc(values, format.scalar)),
        gamma_(at::randn({shape.channels}, at::kFloat)),
        beta_(at::randn({shape.channels}, at::kFloat)),
        sums_(at::full({shape.images, parts_of(shape.height * shape.width), kSums, shape.channels},
                       std::numeric_limits<float>::quiet_NaN())) {
    const MomentsJob job = {format.type,
                            raw_.data_ptr(),
                            sums_.data_ptr<float>(),
                            shape.images,
                            shape.height * shape.width,
                            shape.channels};
    ck_assert_int_eq(host_kernels().moments(job, nullptr), 0);
  }

  Raw raw() const {
    return {raw_.data_ptr(), sums_.data_ptr<float>(), gamma_.data_ptr<float>(),
            beta_.data_ptr<float>()};
  }
  const at::Tensor& sums() const { return sums_; }
  at::Tensor values() const { return raw_.to(at::kDouble); }

  // By formulas that are written differently: LibTorch's own take one pixel for an error.
  at::Tensor activated() const {
    const at::Tensor x = values();
    const at::Tensor apart = x - x.mean({2, 3}, true);
    const at::Tensor variance = apart.square().mean({2, 3}, true);
    const at::Tensor normal = apart / (variance + layers::kNormEpsilon).sqrt();
    return at::leaky_relu(normal * gamma_.to(at::kDouble).view({1, -1, 1, 1}) +
                              beta_.to(at::kDouble).view({1, -1, 1, 1}),
                          layers::kLeakySlope);
  }
  at::Tensor libtorchs() const {
    return at::leaky_relu(at::instance_norm(values(), gamma_.to(at::kDouble), beta_.to(at::kDouble),
                                            {}, {}, true, 0, layers::kNormEpsilon, false),
                          layers::kLeakySlope);
  }

 private:
  at::Tensor raw_, gamma_, beta_, sums_;
};

at::Tensor random_values(const Shape& shape) {
  return at::randn({shape.images, shape.channels, shape.height, shape.width}, at::kFloat);
}

Term term_of(const Shape& shape, const Node& first, const Node* second) {
  return {first.raw(),   second ? second->raw() : Raw(), shape.images, shape.height, shape.width,
          shape.channels};
}

void assert_close(const at::Tensor& found, const at::Tensor& expected, const Format& format,
                  const Shape& shape, double times = 1) {
  const at::Tensor error = (found.to(at::kDouble) - expected).abs() / (1 + expected.abs());
  const double worst = error.max().item<double>();
  ck_assert_msg(worst <= times * format.epsilon, "format %d, %d x %d x %d x %d: off by %g",
                static_cast<int>(format.type), shape.images, shape.channels, shape.height,
                shape.width, worst);
}

// Into the middle of a wider tensor, and into one that is twice as large, at once.
void check_activation(const Shape& shape, const Format& format, const Node& first,
                      const Node* second, int before, int after, double times = 1) {
  const int all = before + shape.channels + after;
  const auto room = [&](int times_larger) {
    return nhwc(
        at::full({shape.images, all, shape.height * times_larger, shape.width * times_larger},
                 kCanary),
        format.scalar);
  };
  at::Tensor plain = room(1), enlarged = room(2);
  const ActivateJob job = {
      format.type,
      term_of(shape, first, second),
      {{plain.data_ptr(), all, before, false}, {enlarged.data_ptr(), all, before, true}}};
  ck_assert_int_eq(host_kernels().activate(job, nullptr), 0);
  at::Tensor expected = first.activated();
  if (second) expected = expected + second->activated();
  assert_close(plain.narrow(1, before, shape.channels), expected, format, shape, times);
  ck_assert(at::equal(enlarged.to(at::kFloat), layers::upsample(plain.to(at::kFloat))));
  for (const at::Tensor& tensor : {plain, enlarged}) {
    ck_assert((tensor.narrow(1, 0, before) == kCanary).all().item<bool>());
    ck_assert((tensor.narrow(1, before + shape.channels, after) == kCanary).all().item<bool>());
  }
}

START_TEST(test_normalised_activations_are_those_of_double_precision) {
  at::manual_seed(3);
  const Format& format = kFormats[_i];
  for (const Shape& shape : kShapes) {
    const Node first(shape, format, 2 * random_values(shape) - 1);
    const Node second(shape, format, random_values(shape) + 3);
    check_activation(shape, format, first, nullptr, 0, 0);
    check_activation(shape, format, first, &second, 0, 0, 2);
    check_activation(shape, format, first, &second, 8, 16, 2);
    check_activation(shape, format, first, nullptr, 3, 2);  // where nothing is aligned
    if (shape.height * shape.width == 1) continue;
    assert_close(first.activated(), first.libtorchs(), kFormats[0], shape);
  }
}
END_TEST

START_TEST(test_even_images_and_means_far_from_zero_are_normalised) {
  at::manual_seed(5);
  const Shape shape = {2, 24, 40, 24};
  for (const Format& format : kFormats) {
    const Node even(shape, format, at::full({2, 24, 40, 24}, 3.25f));
    check_activation(shape, format, even, nullptr, 0, 0);
    const double apart = format.type == NumberType::fp32 ? 1e3 : 20;  // standard deviations
    const Node far(shape, format, random_values(shape) + apart);
    check_activation(shape, format, far, nullptr, 0, 0, format.type == NumberType::fp32 ? 50 : 1);
  }
}
END_TEST

START_TEST(test_an_image_among_others_and_a_rerun_give_the_same_bits) {
  at::manual_seed(7);
  const Shape many = {5, 40, 19, 23}, one = {1, 40, 19, 23};
  for (const Format& format : kFormats) {
    const at::Tensor values = random_values(many);
    const Node together(many, format, values), again(many, format, values);
    ck_assert(at::equal(together.sums(), again.sums()));
    for (int i = 0; i < many.images; ++i)
      ck_assert(at::equal(Node(one, format, values.narrow(0, i, 1)).sums(),
                          together.sums().narrow(0, i, 1)));
  }
}
END_TEST

START_TEST(test_heads_add_up_and_end_in_probabilities) {
  at::manual_seed(9);
  for (const Format& format : kFormats)
    for (const int channels : {1, 16, 32, 100}) {
      const Shape shape = {2, channels, 34, 18};
      const Node first(shape, format, random_values(shape)),
          second(shape, format, random_values(shape));
      const at::Tensor weights = at::randn({channels}, at::kFloat) * 0.2;
      const at::Tensor coarser = at::randn({2, 17, 9}, at::kFloat);
      at::Tensor out = at::full({2, 34, 18}, kCanary, at::kFloat);
      HeadJob job = {format.type,
                     term_of(shape, first, &second),
                     weights.data_ptr<float>(),
                     0.5f,
                     nullptr,
                     out.data_ptr<float>(),
                     false};
      ck_assert_int_eq(host_kernels().head(job, nullptr), 0);
      at::Tensor expected = 0.5 + ((first.activated() + second.activated()) *
                                   weights.to(at::kDouble).view({1, -1, 1, 1}))
                                      .sum(1);
      assert_close(out, expected, kFormats[0], shape, 20);
      job.coarser = coarser.data_ptr<float>();
      job.is_last = true;
      ck_assert_int_eq(host_kernels().head(job, nullptr), 0);
      expected = expected + layers::upsample(coarser.to(at::kDouble).unsqueeze(1)).squeeze(1);
      assert_close(out, at::sigmoid(expected), kFormats[0], shape, 20);
    }
}
END_TEST

// The sigmoid of an infinite logit would look like a probability.
START_TEST(test_a_logit_that_is_not_finite_becomes_nan) {
  const Shape shape = {1, 8, 4, 4};
  const Node node(shape, kFormats[0], random_values(shape));
  const at::Tensor weights = at::zeros({8}, at::kFloat);
  for (const float bias :
       {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    at::Tensor out = at::zeros({1, 4, 4}, at::kFloat);
    const HeadJob job = {NumberType::fp32,
                         term_of(shape, node, nullptr),
                         weights.data_ptr<float>(),
                         bias,
                         nullptr,
                         out.data_ptr<float>(),
                         true};
    ck_assert_int_eq(host_kernels().head(job, nullptr), 0);
    ck_assert(out.isnan().all().item<bool>());
  }
  at::Tensor poisoned = random_values(shape);
  poisoned[0][3][1][1] = std::numeric_limits<float>::infinity();
  const Node spoilt(shape, kFormats[0], poisoned);
  ck_assert(spoilt.sums().isnan().any().item<bool>() || spoilt.sums().isinf().any().item<bool>());
}
END_TEST

START_TEST(test_pictures_become_pixels_with_zeros_behind) {
  const at::Tensor planar = at::randn({2, 3, 5, 7}, at::kFloat);
  for (const Format& format : kFormats)
    for (const int channels : {3, 4, 8}) {
      at::Tensor out = nhwc(at::full({2, channels, 5, 7}, kCanary), format.scalar);
      const PictureJob job = {format.type, planar.data_ptr<float>(), out.data_ptr(), 2, 35,
                              channels};
      ck_assert_int_eq(host_kernels().picture(job, nullptr), 0);
      ck_assert(at::equal(out.narrow(1, 0, 3), planar.to(format.scalar)));
      ck_assert((out.narrow(1, 3, channels - 3) == 0).all().item<bool>());
    }
}
END_TEST

}  // namespace

Suite* cuda_kernels_suite() {
  Suite* suite = suite_create("CUDA kernels on the CPU");
  TCase* tests = tcase_create("blocks");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, test_normalised_activations_are_those_of_double_precision, 0, 3);
  tcase_add_test(tests, test_even_images_and_means_far_from_zero_are_normalised);
  tcase_add_test(tests, test_an_image_among_others_and_a_rerun_give_the_same_bits);
  tcase_add_test(tests, test_heads_add_up_and_end_in_probabilities);
  tcase_add_test(tests, test_a_logit_that_is_not_finite_becomes_nan);
  tcase_add_test(tests, test_pictures_become_pixels_with_zeros_behind);
  suite_add_tcase(suite, tests);
  return suite;
}
