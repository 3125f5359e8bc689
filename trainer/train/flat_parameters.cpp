// SPDX-License-Identifier: MIT
#include "trainer/train/flat_parameters.h"

#include <cmath>

#include "model/network/layers.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

// Box and Muller's method: the standard library's distributions differ between implementations.
double normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return radius * std::cos(6.283185307179586 * random.uniform());
}

}  // namespace

Parameters views_of(const at::Tensor& flat, const std::vector<ParameterLayout>& layout) {
  Parameters views;
  std::int64_t offset = 0;
  for (const ParameterLayout& parameter : layout) {
    const std::int64_t count = element_count(parameter);
    views[parameter.name] = flat.narrow(0, offset, count).view(parameter.shape);
    offset += count;
  }
  return views;
}

Parameters trainable_views(const at::Tensor& values, const at::Tensor& gradients,
                           const std::vector<ParameterLayout>& layout) {
  Parameters leaves = views_of(values.detach(), layout);
  const Parameters slots = views_of(gradients.detach(), layout);
  for (auto& leaf : leaves) {
    leaf.second.set_requires_grad(true);
    leaf.second.mutable_grad() = slots.at(leaf.first);
  }
  return leaves;
}

std::int64_t total_elements(const std::vector<ParameterLayout>& layout) {
  std::int64_t total = 0;
  for (const ParameterLayout& parameter : layout) total += element_count(parameter);
  return total;
}

at::Tensor decay_mask(const std::vector<ParameterLayout>& layout) {
  at::Tensor mask = at::zeros({total_elements(layout)});
  const Parameters views = views_of(mask, layout);
  for (const ParameterLayout& parameter : layout)
    if (parameter.role == ParameterRole::conv_weight) views.at(parameter.name).fill_(1);
  return mask;
}

at::Tensor initial_values(const std::string& architecture,
                          const std::vector<ParameterLayout>& layout, std::uint64_t seed) {
  at::Tensor flat = at::zeros({total_elements(layout)});
  float* value = flat.data_ptr<float>();
  std::uint64_t index = 0;
  for (const ParameterLayout& parameter : layout) {
    Random random(seed, Purpose::initial_weights, {index++});
    const double fan_in = static_cast<double>(parameter.fan_in);
    const double he = std::sqrt(2 / ((1 + layers::kLeakySlope * layers::kLeakySlope) * fan_in));
    const double bound = 1 / std::sqrt(fan_in);
    const bool is_weight = parameter.role == ParameterRole::conv_weight;
    const std::int64_t count = element_count(parameter);
    for (std::int64_t i = 0; i < count; ++i, ++value) {
      if (parameter.role == ParameterRole::norm_weight)
        *value = 1;
      else if (architecture == "seed-unet")
        *value = static_cast<float>(random.uniform(-bound, bound));
      else if (is_weight)
        *value = static_cast<float>(he * normal(random));
    }
  }
  return flat;
}

}  // namespace unetseg::trainer
