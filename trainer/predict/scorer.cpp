// SPDX-License-Identifier: MIT
#include "trainer/predict/scorer.h"

#include <algorithm>

namespace unetseg::trainer {

MaskAsMap::MaskAsMap(const Image& mask)
    : width_(mask.width), height_(mask.height), values_(mask.pixels.size()) {
  std::transform(mask.pixels.begin(), mask.pixels.end(), values_.begin(),
                 [](std::uint8_t v) { return v > 0 ? 1.0f : 0.0f; });
}

ImageScore Scorer::score(const std::string& id, const ProbabilityView& map, double threshold,
                         const Image& truth) {
  mask_.resize(truth.pixels.size());
  upsampler_.configure(map, truth.width, truth.height);
  mask_from_probabilities(upsampler_, threshold, mask_.data(), truth.width);
  return {id, truth.width, truth.height, compare(mask_.data(), truth.pixels.data(), mask_.size())};
}

}  // namespace unetseg::trainer
