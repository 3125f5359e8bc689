// SPDX-License-Identifier: MIT
#include "model/network/training/operations.h"

#include <torch/csrc/autograd/custom_function.h>

namespace unetseg::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

cuda::NumberType number_type(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 ? cuda::NumberType::bf16 : cuda::NumberType::fp32;
}

int size_of(const at::Tensor& x, std::int64_t dimension) {
  return static_cast<int>(x.size(dimension));
}

int pixels_of(const at::Tensor& x) {
  return static_cast<int>(x.size(2) * x.size(3));
}

// All pixels of all pictures at the same distance, each with its channels side by side: whole, or
// a part of the channels of something wider.
bool has_even_pixels(const at::Tensor& x) {
  return x.stride(1) == 1 && x.stride(3) >= x.size(1) && x.stride(2) == x.size(3) * x.stride(3) &&
         x.stride(0) == x.size(2) * x.stride(2) &&
         reinterpret_cast<std::uintptr_t>(x.data_ptr()) % 16 == 0;
}

at::Tensor channels_last(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor floats(at::IntArrayRef sizes, const at::Tensor& like) {
  return at::empty(sizes, like.options().dtype(at::kFloat));
}

// Autograd takes no undefined tensors: an empty one stands for nothing.
bool is_something(const at::Tensor& x) {
  return x.numel() > 0;
}

at::Tensor or_empty(const at::Tensor& x, const at::Tensor& like) {
  return x.defined() ? x : at::empty({0}, like.options());
}

NormJob norm_job(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                 const at::Tensor& factors, const at::Tensor& statistics, const at::Tensor& sums,
                 double epsilon, double slope) {
  NormJob job = {};
  job.type = number_type(x);
  job.images = size_of(x, 0);
  job.pixels = pixels_of(x);
  job.channels = size_of(x, 1);
  job.epsilon = static_cast<float>(epsilon);
  job.slope = static_cast<float>(slope);
  job.in = x.data_ptr();
  job.weight = weight.data_ptr<float>();
  job.bias = bias.data_ptr<float>();
  job.factors = is_something(factors) ? factors.data_ptr<float>() : nullptr;
  job.statistics = statistics.data_ptr<float>();
  job.sums = sums.data_ptr<float>();
  return job;
}

at::Tensor sums_for(const at::Tensor& x) {
  return floats({x.size(0), cuda::parts_of(pixels_of(x)), cuda::kSums, x.size(1)}, x);
}

const Launcher& launcher_in(AutogradContext* context) {
  return *reinterpret_cast<const Launcher*>(context->saved_data["launcher"].toInt());
}

void save(AutogradContext* context, const Launcher& launcher) {
  context->saved_data["launcher"] = reinterpret_cast<std::int64_t>(&launcher);
}

class NormActivate : public torch::autograd::Function<NormActivate> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const at::Tensor& factors,
                            const at::Tensor& added, std::int64_t launcher_address, double epsilon,
                            double slope) {
    const Launcher& launcher = *reinterpret_cast<const Launcher*>(launcher_address);
    void* stream = launcher.stream();
    const at::Tensor out = at::empty_like(x), sums = sums_for(x),
                     statistics = floats({x.size(0), 2, x.size(1)}, x);
    NormJob job = norm_job(x, weight, bias, factors, statistics, sums, epsilon, slope);
    const at::Tensor also = is_something(added) ? channels_last(added) : added;
    job.added = is_something(also) ? also.data_ptr() : nullptr;
    job.out = out.data_ptr();
    require_launched(launcher.moments->moments(
        {job.type, job.in, job.sums, job.images, job.pixels, job.channels}, stream));
    require_launched(launcher.kernels->statistics(job, stream));
    require_launched(launcher.kernels->activate(job, stream));
    context->save_for_backward({x, weight, bias, factors, statistics});
    save(context, launcher);
    context->saved_data["epsilon"] = epsilon;
    context->saved_data["slope"] = slope;
    context->saved_data["added"] = is_something(added);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &factors = saved[3];
    const Launcher& launcher = launcher_in(context);
    void* stream = launcher.stream();
    const at::Tensor upper =
        has_even_pixels(gradients[0]) ? gradients[0] : channels_last(gradients[0]);
    const at::Tensor in_gradient = at::empty_like(x), sums = sums_for(x),
                     shares = floats({x.size(0), 2, x.size(1)}, x);
    NormJob job = norm_job(x, weight, bias, factors, saved[4], sums,
                           context->saved_data["epsilon"].toDouble(),
                           context->saved_data["slope"].toDouble());
    job.upper = upper.data_ptr();
    job.upper_stride = static_cast<int>(upper.stride(3));
    job.shares = shares.data_ptr<float>();
    job.in_gradient = in_gradient.data_ptr();
    require_launched(launcher.kernels->sum_gradients(job, stream));
    require_launched(launcher.kernels->share_gradients(job, stream));
    require_launched(launcher.kernels->gradient_of_input(job, stream));
    const at::Tensor totals = shares.sum(0);
    const at::Tensor none, added = context->saved_data["added"].toBool() ? gradients[0] : none;
    return {in_gradient, totals[1], totals[0], none, added, none, none, none};
  }
};

class Head : public torch::autograd::Function<Head> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, std::int64_t launcher_address) {
    const Launcher& launcher = *reinterpret_cast<const Launcher*>(launcher_address);
    const at::Tensor out = floats({x.size(0), 1, x.size(2), x.size(3)}, x);
    HeadJob job = job_of(x, weight);
    job.bias = bias.data_ptr<float>();
    job.out = out.data_ptr<float>();
    require_launched(launcher.kernels->head(job, launcher.stream()));
    context->save_for_backward({x, weight});
    save(context, launcher);
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const Launcher& launcher = launcher_in(context);
    const at::Tensor upper = gradients[0].contiguous(), in_gradient = at::empty_like(x);
    const std::int64_t parts = cuda::parts_of(pixels_of(x));
    const at::Tensor shares = floats({x.size(0) * parts, x.size(1)}, x);
    HeadJob job = job_of(x, weight);
    job.upper = upper.data_ptr<float>();
    job.in_gradient = in_gradient.data_ptr();
    job.shares = shares.data_ptr<float>();
    require_launched(launcher.kernels->gradients_of_head(job, launcher.stream()));
    return {in_gradient, shares.sum(0), upper.sum().view({1}), at::Tensor()};
  }

 private:
  static HeadJob job_of(const at::Tensor& x, const at::Tensor& weight) {
    HeadJob job = {};
    job.type = number_type(x);
    job.images = size_of(x, 0);
    job.pixels = pixels_of(x);
    job.channels = size_of(x, 1);
    job.in = x.data_ptr();
    job.weight = weight.data_ptr<float>();
    return job;
  }
};

}  // namespace

const Launcher* launcher_of(const at::Tensor& x) {
  const bool fits = x.dim() == 4 &&
                    (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
                    x.is_contiguous(at::MemoryFormat::ChannelsLast) && !x.is_contiguous();
  return fits ? launcher_for(x.device()) : nullptr;
}

at::Tensor norm_activate(const Launcher& launcher, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& bias, const NormOptions& options) {
  return NormActivate::apply(x, weight, bias, or_empty(options.factors, x),
                             or_empty(options.added, x), reinterpret_cast<std::int64_t>(&launcher),
                             options.epsilon, options.slope);
}

at::Tensor head(const Launcher& launcher, const at::Tensor& x, const at::Tensor& weight,
                const at::Tensor& bias) {
  return Head::apply(x, weight.to(at::kFloat).flatten(), bias.to(at::kFloat),
                     reinterpret_cast<std::int64_t>(&launcher));
}

}  // namespace unetseg::training
