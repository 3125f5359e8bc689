// SPDX-License-Identifier: MIT
#include "trainer/train/gpu/step.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "trainer/train/gpu/transfer.h"

namespace unetseg::trainer::gpu {
namespace {

using training::require_launched;

constexpr int kFirstSteps = 3;  // while cuDNN looks for the fastest of its kernels
// Of what was captured to what was not: cuDNN's kernels may add in any order.
constexpr double kLossTolerance = 1e-3, kGradientTolerance = 0.02;
constexpr auto kNumbers = static_cast<std::int64_t>(sizeof(StepNumbers) / sizeof(double));
constexpr auto kStates = static_cast<std::int64_t>(sizeof(StepState) / sizeof(double));

template <typename T>
T* as(const at::Tensor& doubles) {
  return reinterpret_cast<T*>(doubles.data_ptr<double>());
}

bool is_near(double found, double expected, double tolerance) {
  return std::abs(found - expected) <= tolerance * std::abs(expected);
}

Rule rule_of(const Config& config) {
  if (config.optimizer == "sgd") return Rule::sgd;
  return config.optimizer == "adamw" ? Rule::adamw : Rule::adam;
}

}  // namespace

OptimizerJob optimizer_job(const Config& config) {
  const Adam::Options adam;
  const Sgd::Options sgd;
  OptimizerJob job = {};
  job.rule = rule_of(config);
  job.beta1 = adam.beta1;
  job.beta2 = adam.beta2;
  job.epsilon = adam.epsilon;
  job.weight_decay = config.weight_decay;
  job.momentum = sgd.momentum;
  job.clip = config.clip;
  return job;
}

Step::Step(const Config& config, const Tensors& tensors, Gradient* gradient, Optimizer* optimizer,
           const Launcher& launcher)
    : config_(config),
      tensors_(tensors),
      gradient_(*gradient),
      optimizer_(*optimizer),
      launcher_(launcher) {
  const auto options = tensors.values.options().dtype(at::kDouble);
  numbers_ = at::zeros({kNumbers}, options);
  state_ = at::zeros({kStates}, options);
  parts_ = at::zeros({kNormParts}, options);
  state_.narrow(0, 0, 1).fill_(static_cast<double>(optimizer->steps));
  for (std::size_t i = 0; i < kAhead; ++i) {
    results_[i] = staging({kStates}, at::kDouble, tensors.values.device());
    marks_[i] = make_mark(tensors.values.device());
  }
}

OptimizerJob Step::job() const {
  OptimizerJob job = optimizer_job(config_);
  job.count = static_cast<int>(tensors_.values.numel());
  job.loss = gradient_.loss().data_ptr<float>();
  job.numbers = as<StepNumbers>(numbers_);
  job.state = as<StepState>(state_);
  job.parts = parts_.data_ptr<double>();
  job.values = tensors_.values.data_ptr<float>();
  job.gradient = gradient_.gradient().data_ptr<float>();
  job.first_moment = optimizer_.first_moment.data_ptr<float>();
  job.second_moment = optimizer_.second_moment.data_ptr<float>();
  job.average = tensors_.average.data_ptr<float>();
  job.decay_mask = tensors_.decay_mask.data_ptr<float>();
  return job;
}

void Step::submit(const Batch& batch, const DropoutMasks& dropout, double learning_rate,
                  double average_weight) {
  gradient_.load(batch, dropout);
  compute_gradient();
  const at::Tensor staged = staging({kNumbers}, at::kDouble, numbers_.device());
  *as<StepNumbers>(staged) = {learning_rate, average_weight};
  numbers_.copy_(staged, /*non_blocking=*/true);
  void* stream = launcher_.network->stream();
  require_launched(launcher_.kernels->sum_squares(job(), stream));
  require_launched(launcher_.kernels->decide(job(), stream));
  require_launched(launcher_.kernels->update(job(), stream));
  const std::size_t slot = submitted_++ % kAhead;
  results_[slot].copy_(state_, /*non_blocking=*/true);
  marks_[slot]->set();
}

void Step::wait() {
  marks_[read_ % kAhead]->wait();
}

Step::Result Step::read() {
  wait();
  const std::size_t slot = read_++ % kAhead;
  const StepState& state = *as<StepState>(results_[slot]);
  optimizer_.steps = static_cast<std::int64_t>(state.steps);
  return {state.loss, state.norm, state.taken > 0};
}

void Step::compute_gradient() {
  const bool whole = gradient_.samples() == config_.batch_size;
  if (whole && whole_batches_++ == kFirstSteps) try_capture();
  if (whole && captured_)
    captured_->replay();
  else
    gradient_.compute();
}

// Costs nothing but time where it does not work out.
void Step::try_capture() {
  const at::Tensor gradient = gradient_.gradient();
  gradient_.compute();
  const double loss = gradient_.loss().item<double>();
  const at::Tensor expected = gradient.clone();
  std::string why;
  try {
    auto captured = capture(gradient.device(), [this] { gradient_.compute(); });
    gradient.zero_();
    captured->replay();
    const double found = gradient_.loss().item<double>();
    const double apart = (gradient - expected).norm().item<double>();
    if (is_near(found, loss, kLossTolerance) &&
        apart <= kGradientTolerance * expected.norm().item<double>())
      captured_ = std::move(captured);
    else if (std::isfinite(loss))
      why = fmt::format("a replay gave a loss of {} instead of {} and a gradient off by {}", found,
                        loss, apart);
  } catch (const std::exception& error) {
    why = error.what();
  }
  if (!why.empty())
    notice_ = "steps are slower than they could be, they cannot be captured as a CUDA graph: " +
              why.substr(0, why.find('\n'));
}

std::string Step::take_notice() {
  return std::exchange(notice_, {});
}

}  // namespace unetseg::trainer::gpu
