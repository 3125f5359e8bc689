// SPDX-License-Identifier: MIT
#include "trainer/train/optimizer.h"

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {

Optimizer::Optimizer(const at::Tensor& decay_mask)
    : first_moment(at::zeros_like(decay_mask)),
      second_moment(at::zeros_like(decay_mask)),
      decay_mask_(decay_mask) {}

Adam::Adam(Options options, const at::Tensor& decay_mask)
    : Optimizer(decay_mask), options_(options) {}

void Adam::step(const at::Tensor& values, const at::Tensor& gradients, double learning_rate) {
  ++steps;
  const double correction1 = 1 - std::pow(options_.beta1, static_cast<double>(steps));
  const double correction2 = 1 - std::pow(options_.beta2, static_cast<double>(steps));
  if (options_.weight_decay != 0) {
    if (options_.decoupled)
      values.addcmul_(values, decay_mask_, -learning_rate * options_.weight_decay);
    else
      gradients.addcmul_(values, decay_mask_, options_.weight_decay);
  }
  first_moment.lerp_(gradients, 1 - options_.beta1);
  second_moment.mul_(options_.beta2).addcmul_(gradients, gradients, 1 - options_.beta2);
  const at::Tensor denominator =
      second_moment.sqrt().div_(std::sqrt(correction2)).add_(options_.epsilon);
  values.addcdiv_(first_moment, denominator, -learning_rate / correction1);
}

Sgd::Sgd(Options options, const at::Tensor& decay_mask)
    : Optimizer(decay_mask), options_(options) {}

void Sgd::step(const at::Tensor& values, const at::Tensor& gradients, double learning_rate) {
  ++steps;
  if (options_.weight_decay != 0) gradients.addcmul_(values, decay_mask_, options_.weight_decay);
  first_moment.mul_(options_.momentum).add_(gradients);
  values.add_(gradients.add_(first_moment, options_.momentum), -learning_rate);
}

std::unique_ptr<Optimizer> make_optimizer(const Config& config, const at::Tensor& decay_mask) {
  if (config.optimizer == "sgd") {
    Sgd::Options options;
    options.weight_decay = config.weight_decay;
    return std::make_unique<Sgd>(options, decay_mask);
  }
  Adam::Options options;
  options.weight_decay = config.weight_decay;
  options.decoupled = config.optimizer == "adamw";
  return std::make_unique<Adam>(options, decay_mask);
}

double clip_norm(const at::Tensor& gradients, double limit) {
  const double norm = gradients.norm().item<double>();
  if (limit > 0 && std::isfinite(norm) && norm > limit) gradients.mul_(limit / (norm + 1e-6));
  return norm;
}

double ema_decay(std::int64_t step, std::int64_t total_steps, double share) {
  const double t = static_cast<double>(step);
  const double length = std::max(1.0, share * static_cast<double>(total_steps));
  return std::min((1 + t) / (10 + t), 1 - 1 / length);
}

}  // namespace unetseg::trainer
