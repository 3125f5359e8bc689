// SPDX-License-Identifier: MIT
#include "trainer/train/dropout.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "model/network/layout.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {

DropoutMasks dropout_masks(const Config& config, std::int64_t step, std::int64_t samples) {
  DropoutMasks masks;
  if (config.dropout <= 0) return masks;
  Random random(config.seed, Purpose::dropout, {static_cast<std::uint64_t>(step)});
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const double keep = 1 - config.dropout;
  for (int level = 0; level < kLevels; ++level) {
    at::Tensor mask = at::empty({samples, std::int64_t{config.base_width} << level});
    masks.push_back(mask.bernoulli_(keep, generator).div_(keep));
  }
  return masks;
}

}  // namespace unetseg::trainer
