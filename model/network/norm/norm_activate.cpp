// SPDX-License-Identifier: MIT
#include "model/network/norm/norm_activate.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "model/network/norm/kernels.h"

namespace unetseg {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A picture's pixels one after the other, each with its channels side by side; between two pixels
// there may be others' channels.
bool has_rows_of_channels(const at::Tensor& x) {
  return x.stride(1) == 1 && x.stride(3) >= x.size(1) && x.stride(2) == x.size(3) * x.stride(3);
}

template <typename T, typename Element>
norm::Rows<T> picture(const at::Tensor& x, std::int64_t n) {
  return {reinterpret_cast<T*>(x.data_ptr<Element>()) + n * x.stride(0),
          static_cast<std::size_t>(x.stride(3))};
}

norm::Shape shape_of(const at::Tensor& x) {
  return {static_cast<std::size_t>(x.size(2) * x.size(3)), static_cast<std::size_t>(x.size(1))};
}

norm::Statistics statistics_of(const at::Tensor& statistics, std::int64_t n) {
  float* values = statistics.data_ptr<float>() + n * statistics.stride(0);
  return {values, values + statistics.stride(1)};
}

norm::Affine affine_of(const at::Tensor& weight, const at::Tensor& bias) {
  return {weight.data_ptr<float>(), bias.data_ptr<float>()};
}

// Calls work(type, element) with values of the kernels' type and of LibTorch's.
template <typename Work>
void with_type(const at::Tensor& x, const Work& work) {
  if (x.scalar_type() == at::kFloat)
    work(float(), float());
  else
    work(norm::Bfloat16(), at::BFloat16());
}

template <typename Work>
void for_each_picture(const at::Tensor& x, const Work& work) {
  at::parallel_for(0, x.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) work(n);
  });
}

class NormActivate : public torch::autograd::Function<NormActivate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, double epsilon, double slope) {
    const at::Tensor out = at::empty_like(x);
    const at::Tensor statistics = at::empty({x.size(0), 2, x.size(1)}, at::kFloat);
    with_type(x, [&](auto type, auto element) {
      using T = decltype(type);
      using Element = decltype(element);
      for_each_picture(x, [&](std::int64_t n) {
        norm::forward<T>(shape_of(x), picture<const T, Element>(x, n), affine_of(weight, bias),
                         static_cast<float>(epsilon), static_cast<float>(slope),
                         statistics_of(statistics, n), picture<T, Element>(out, n));
      });
    });
    context->save_for_backward({x, weight, bias, statistics});
    context->saved_data["slope"] = slope;
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &statistics = saved[3];
    const auto slope = static_cast<float>(context->saved_data["slope"].toDouble());
    const at::Tensor upper = has_rows_of_channels(gradients[0])
                                 ? gradients[0]
                                 : gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
    const at::Tensor in_gradient = at::empty_like(x);
    // Each picture's share, added up in their order.
    const at::Tensor shares = at::zeros({x.size(0), 2, x.size(1)}, at::kFloat);
    with_type(x, [&](auto type, auto element) {
      using T = decltype(type);
      using Element = decltype(element);
      for_each_picture(x, [&](std::int64_t n) {
        const norm::Statistics share = statistics_of(shares, n);
        norm::backward<T>(shape_of(x), picture<const T, Element>(x, n),
                          picture<const T, Element>(upper, n), affine_of(weight, bias), slope,
                          statistics_of(statistics, n), picture<T, Element>(in_gradient, n),
                          share.mean, share.inverse_deviation);
      });
    });
    const at::Tensor sums = shares.sum(0);
    return {in_gradient, sums[0], sums[1], at::Tensor(), at::Tensor()};
  }
};

}  // namespace

bool can_norm_activate(const at::Tensor& x, const at::Tensor& weight) {
  return x.dim() == 4 && weight.scalar_type() == at::kFloat && x.is_cpu() &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) && !x.is_contiguous();
}

at::Tensor norm_activate(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         double epsilon, double slope) {
  return NormActivate::apply(x, weight, bias, epsilon, slope);
}

}  // namespace unetseg
