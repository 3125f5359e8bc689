// SPDX-License-Identifier: MIT
// Convolutions on tensor cores, their blocks run in loops on the CPU, against LibTorch in double
// precision: every kind and shape, one after the other and as a whole network.
#include <ATen/ATen.h>

#include <cmath>
#include <limits>

#include "model/engine/cuda/conv/network.h"
#include "model/engine/cuda/conv/pack_weights.h"
#include "model/engine/cuda/conv/plans.h"
#include "model/engine/cuda/device_faults.h"
#include "model/network/layers.h"

#include "tests/check.h"
#include "tests/model/random_network.h"
#include "tests/relative_l2.h"
#include "tests/trainer/torch_suites.h"

using namespace unetseg;
using namespace unetseg::cuda;

namespace {

struct Format {
  NumberType type;
  at::ScalarType scalar;
  double epsilon;
};
const Format kFormats[] = {{NumberType::fp16, at::kHalf, 1e-3},
                           {NumberType::bf16, at::kBFloat16, 8e-3}};

constexpr ConvLimits kRoomy = {16, 220 << 10}, kTight = {16, 24 << 10};

// NHWC in memory, as the kernels have it.
at::Tensor nhwc(const at::Tensor& tensor, at::ScalarType type) {
  return tensor.to(type).permute({0, 2, 3, 1}).contiguous();
}
at::Tensor nchw(const at::Tensor& tensor) {
  return tensor.permute({0, 3, 1, 2}).to(at::kDouble);
}

// Statistics of a map in whole numbers.
class Sums {
 public:
  Sums(int images, int channels, double unit)
      : unit_(unit),
        sums_(at::zeros({images, channels, 2}, at::kLong)),
        flags_(at::zeros({images}, at::kInt)) {}

  MapSums view() const {
    return {reinterpret_cast<ChannelSums*>(sums_.data_ptr<std::int64_t>()),
            reinterpret_cast<unsigned*>(flags_.data_ptr<int>())};
  }
  // images x channels, of a map of so many pixels.
  at::Tensor mean(double pixels) const {
    return sums_.select(2, 0).to(at::kDouble) * (std::ldexp(unit_, -kSumBits) / pixels);
  }
  at::Tensor variance(double pixels) const {
    return sums_.select(2, 1).to(at::kDouble) * (std::ldexp(unit_ * unit_, -kSquareBits) / pixels) -
           mean(pixels).square();
  }
  void set(const at::Tensor& values) {
    const at::Tensor flat = values.to(at::kDouble).flatten(2) / unit_;
    sums_.select(2, 0).copy_((flat.sum(2) * std::ldexp(1, kSumBits)).round());
    sums_.select(2, 1).copy_((flat.square().sum(2) * std::ldexp(1, kSquareBits)).round());
  }
  bool found_what_is_not_finite() const { return flags_.any().item<bool>(); }
  double unit() const { return unit_; }

 private:
  const double unit_;
  const at::Tensor sums_, flags_;
};

// A node's raw output, and what the next convolution has to read it as.
class Map {
 public:
  Map(int images, int channels, int height, int width, const Format& format)
      : raw_(nhwc(at::randn({images, channels, height, width}, at::kDouble) * 3 +
                      at::randn({images, channels, 1, 1}, at::kDouble),
                  format.scalar)),
        gamma_(at::randn({channels}, at::kFloat)),
        beta_(at::randn({channels}, at::kFloat)),
        sums_(images, channels, 2) {
    sums_.set(nchw(raw_));
  }

  NodeMap view() const {
    const double pixels = static_cast<double>(raw_.size(1) * raw_.size(2));
    return {raw_.data_ptr(),
            sums_.view(),
            gamma_.data_ptr<float>(),
            beta_.data_ptr<float>(),
            static_cast<int>(raw_.size(3)),
            std::ldexp(sums_.unit(), -kSumBits) / pixels,
            std::ldexp(sums_.unit() * sums_.unit(), -kSquareBits) / pixels};
  }
  at::Tensor activated() const {
    return at::leaky_relu(
        at::instance_norm(nchw(raw_), gamma_.to(at::kDouble), beta_.to(at::kDouble), {}, {}, true,
                          0, layers::kNormEpsilon, false),
        layers::kLeakySlope);
  }

 private:
  const at::Tensor raw_, gamma_, beta_;
  Sums sums_;
};

struct Case {
  ConvKind kind;
  int images, height, width;  // of the input
  std::vector<int> inputs;    // channels
  std::vector<bool> is_sum;
  int out_channels;
};
const Case kCases[] = {
    {ConvKind::same, 1, 16, 16, {16}, {false}, 16},
    {ConvKind::same, 2, 7, 13, {24, 8}, {false, true}, 40},
    {ConvKind::same, 1, 5, 9, {64}, {true}, 64},
    {ConvKind::strided, 1, 16, 32, {16}, {true}, 32},
    {ConvKind::strided, 2, 6, 18, {40}, {false}, 8},
    {ConvKind::enlarged, 1, 8, 8, {32}, {false}, 16},
    {ConvKind::enlarged, 3, 3, 11, {48}, {true}, 24},
    {ConvKind::pointwise, 1, 32, 8, {64}, {false}, 32},
    {ConvKind::pointwise, 2, 9, 7, {8, 24}, {true, false}, 72},
};

at::Tensor convolution(const at::Tensor& input, const at::Tensor& weight, ConvKind kind) {
  if (kind == ConvKind::pointwise) return at::conv2d(input, weight);
  if (kind == ConvKind::strided) return at::conv2d(input, weight, {}, 2, 1);
  return at::conv2d(kind == ConvKind::enlarged
                        ? at::upsample_nearest2d(input, {2 * input.size(2), 2 * input.size(3)})
                        : input,
                    weight, {}, 1, 1);
}

// In every shape that fits, alone and in pieces of its input channels.
void check_convolution(const Case& c, const Format& format) {
  at::manual_seed(17);
  std::vector<Map> maps;
  std::vector<at::Tensor> inputs;
  ConvForm form = {};
  form.type = format.type;
  form.kind = c.kind;
  form.images = c.images;
  form.in_height = c.height;
  form.in_width = c.width;
  form.out_channels = c.out_channels;
  int channels = 0;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    form.in_channels[i] = c.inputs[i];
    form.is_sum[i] = c.is_sum[i];
    at::Tensor sum;
    for (int k = 0; k < (c.is_sum[i] ? 2 : 1); ++k) {
      maps.emplace_back(c.images, c.inputs[i], c.height, c.width, format);
      const at::Tensor activated = maps.back().activated();
      sum = sum.defined() ? sum + activated : activated;
    }
    inputs.push_back(sum);
    channels += c.inputs[i];
  }
  const int kernel = c.kind == ConvKind::pointwise ? 1 : 3;
  const at::Tensor weight = at::randn({c.out_channels, channels, kernel, kernel}, at::kFloat) / 8;
  const at::Tensor expected = convolution(at::cat(inputs, 1), weight.to(at::kDouble), c.kind);
  const double pixels = static_cast<double>(expected.size(2) * expected.size(3));
  const std::vector<std::uint16_t> packed =
      pack_weights(weight.data_ptr<float>(), c.kind, c.inputs, c.out_channels, format.type);

  int tried = 0;
  for (const ConvLimits& limits : {kRoomy, kTight})
    for (const ConvPlan& plan : possible_plans(limits, form)) {
      ck_assert_int_le(plan.size, limits.shared_memory);
      const at::Tensor raw = at::full(
          {c.images, expected.size(2), expected.size(3), c.out_channels}, -77, format.scalar);
      const Sums sums(c.images, c.out_channels, 2);
      ConvJob job = {};
      job.plan = plan;
      for (std::size_t i = 0; i < maps.size(); ++i) job.maps[i] = maps[i].view();
      job.weights = packed.data();
      job.raw = raw.data_ptr();
      job.sums = sums.view();
      job.per_unit = static_cast<float>(1 / sums.unit());
      job.most_squares = 1e12f;
      ck_assert_int_eq(host_conv_kernels().conv(job, nullptr), 0);
      const double error = relative_l2(nchw(raw), expected);
      ck_assert_msg(error < 2 * format.epsilon, "shape %d, %d, %d: error %g", plan.shape.m_tiles,
                    plan.shape.n_tiles, plan.shape.k_splits, error);
      ck_assert_double_lt(relative_l2(sums.mean(pixels), expected.mean({2, 3})),
                          20 * format.epsilon);
      ck_assert_double_lt(relative_l2(sums.variance(pixels), expected.var({2, 3}, false)),
                          4 * format.epsilon);
      ck_assert(!sums.found_what_is_not_finite());
      ++tried;
    }
  ck_assert_int_ge(tried, 4);
}

START_TEST(test_every_shape_of_a_convolution_agrees_with_libtorch) {
  for (const Format& format : kFormats) check_convolution(kCases[_i], format);
}
END_TEST

START_TEST(test_what_does_not_fit_into_shared_memory_is_no_plan) {
  ConvForm form = {};
  form.kind = ConvKind::same;
  form.images = 1;
  form.in_height = form.in_width = 64;
  form.in_channels[0] = 2048;
  form.out_channels = 64;
  ck_assert(plan_conv(kRoomy, form).has_value());
  ck_assert(!plan_conv({16, 4 << 10}, form).has_value());
}
END_TEST

START_TEST(test_a_divider_divides) {
  for (int divisor = 1; divisor <= 96; ++divisor) {
    const Divider by = Divider::of(divisor);
    for (int dividend = 0; dividend <= Divider::kMostDividend; ++dividend)
      if (by(dividend) != dividend / divisor)
        ck_abort_msg("%d / %d gave %d", dividend, divisor, by(dividend));
  }
}
END_TEST

struct NetworkCase {
  int base_width, height, width, images;
};
const NetworkCase kNetworks[] = {{16, 32, 32, 1}, {8, 48, 32, 3}, {24, 64, 96, 2}, {8, 160, 96, 1}};

std::unique_ptr<const ConvNetwork> made(const RandomNetwork& network, int height, int width,
                                        at::ScalarType type,
                                        const ConvKernels& kernels = host_conv_kernels()) {
  return ConvNetwork::make(improved_unet_graph(network.base_width), network.parameters, height,
                           width, at::kCPU, type, kernels);
}

START_TEST(test_probabilities_are_libtorchs) {
  const NetworkCase& c = kNetworks[_i];
  const RandomNetwork network(c.base_width, static_cast<std::uint64_t>(_i) + 41);
  const at::Tensor pictures = at::rand({c.images, 3, c.height, c.width}, at::kFloat);
  const at::Tensor expected = network.probabilities(pictures, at::kDouble);
  const double of_bf16 = relative_l2(network.probabilities(pictures, at::kBFloat16), expected);
  for (const Format& format : kFormats) {
    const auto own = made(network, c.height, c.width, format.scalar);
    ck_assert_ptr_nonnull(own.get());
    const at::Tensor found = own->forward(pictures, nullptr);
    const double error = relative_l2(found, expected);
    const double most = format.type == NumberType::fp16 ? 6e-3 : 1.5 * of_bf16;
    ck_assert_msg(error <= most, "width %d, %dx%d: error %g of at most %g", c.base_width, c.width,
                  c.height, error, most);
    ck_assert(at::equal(own->forward(pictures, nullptr), found));
    const at::Tensor alone = own->forward(pictures.narrow(0, c.images - 1, 1), nullptr);
    ck_assert_double_le(relative_l2(alone, found.narrow(0, c.images - 1, 1).to(at::kDouble)), most);
  }
}
END_TEST

START_TEST(test_even_pictures_and_great_offsets_agree) {
  const RandomNetwork network(8, 29);
  for (const at::Tensor& pictures :
       {at::full({1, 3, 64, 64}, 0.25f), at::rand({1, 3, 64, 64}, at::kFloat) + 100}) {
    const at::Tensor expected = network.probabilities(pictures, at::kDouble);
    const double of_bf16 = relative_l2(network.probabilities(pictures, at::kBFloat16), expected);
    const double error =
        relative_l2(made(network, 64, 64, at::kHalf)->forward(pictures, nullptr), expected);
    ck_assert_msg(error <= std::max(6e-3, of_bf16), "error %g, LibTorch's in bf16 %g", error,
                  of_bf16);
  }
}
END_TEST

START_TEST(test_what_is_not_finite_is_no_probability) {
  RandomNetwork network(8, 31);
  network.parameters["encoder.1.down.conv.weight"].fill_(std::numeric_limits<float>::infinity());
  const at::Tensor found =
      made(network, 32, 32, at::kHalf)->forward(at::rand({1, 3, 32, 32}, at::kFloat), nullptr);
  ck_assert(found.isnan().all().item<bool>());
}
END_TEST

START_TEST(test_what_these_kernels_cannot_run_is_left_to_others) {
  ck_assert(made(RandomNetwork(16, 3), 32, 32, at::kFloat) == nullptr);
  ck_assert(made(RandomNetwork(5, 3), 32, 32, at::kHalf) == nullptr);
  ConvKernels old = host_conv_kernels();
  old.limits = [](int, ConvLimits*) { return false; };
  ck_assert(made(RandomNetwork(8, 3), 32, 32, at::kHalf, old) == nullptr);
}
END_TEST

// Where time can be taken, the plan that took least is used; what trials write is overwritten.
START_TEST(test_the_fastest_plan_is_taken_and_trials_leave_nothing) {
  static ConvPlan used;
  const RandomNetwork network(8, 5);
  const at::Tensor pictures = at::rand({1, 3, 32, 32}, at::kFloat);
  ConvKernels timed = host_conv_kernels();
  timed.time = [](const ConvJob& job, void* stream) {
    host_conv_kernels().conv(job, stream);
    return job.plan.shape.m_tiles == 2 ? 1. : job.plan.shape.m_tiles == 1 ? -1. : 5.;
  };
  timed.conv = [](const ConvJob& job, void* stream) {
    used = job.plan;
    return host_conv_kernels().conv(job, stream);
  };
  const auto own = made(network, 32, 32, at::kHalf, timed);
  const at::Tensor found = own->forward(pictures, nullptr);
  ck_assert_int_eq(used.shape.m_tiles, 2);
  ck_assert(at::equal(own->forward(pictures, nullptr), found));
  ck_assert_double_le(relative_l2(found, network.probabilities(pictures, at::kDouble)), 6e-3);
}
END_TEST

START_TEST(test_a_failed_launch_is_an_error_with_its_code) {
  ConvKernels failing = host_conv_kernels();
  failing.conv = [](const ConvJob&, void*) { return 700; };
  int code = 0;
  try {
    made(RandomNetwork(8, 37), 32, 32, at::kHalf, failing)
        ->forward(at::rand({1, 3, 32, 32}, at::kFloat), nullptr);
  } catch (const LaunchError& error) {
    code = error.code;
  }
  ck_assert_int_eq(code, 700);
}
END_TEST

}  // namespace

Suite* cuda_conv_suite() {
  Suite* suite = suite_create("CUDA convolutions on the CPU");
  TCase* tests = tcase_create("parity");
  tcase_set_timeout(tests, 120);
  tcase_add_loop_test(tests, test_every_shape_of_a_convolution_agrees_with_libtorch, 0,
                      static_cast<int>(sizeof kCases / sizeof kCases[0]));
  tcase_add_test(tests, test_what_does_not_fit_into_shared_memory_is_no_plan);
  tcase_add_test(tests, test_a_divider_divides);
  tcase_add_loop_test(tests, test_probabilities_are_libtorchs, 0,
                      static_cast<int>(sizeof kNetworks / sizeof kNetworks[0]));
  tcase_add_test(tests, test_even_pictures_and_great_offsets_agree);
  tcase_add_test(tests, test_what_is_not_finite_is_no_probability);
  tcase_add_test(tests, test_what_these_kernels_cannot_run_is_left_to_others);
  tcase_add_test(tests, test_the_fastest_plan_is_taken_and_trials_leave_nothing);
  tcase_add_test(tests, test_a_failed_launch_is_an_error_with_its_code);
  suite_add_tcase(suite, tests);
  return suite;
}
