// SPDX-License-Identifier: MIT
#include "trainer/predict/scorer.h"

#include <algorithm>

#include "trainer/data/mask_pixels.h"
#include "trainer/report/boundary_distance.h"

namespace unetseg::trainer {

MaskAsMap::MaskAsMap(const Image& mask)
    : width_(mask.width), height_(mask.height), values_(mask.pixels.size()) {
  std::transform(mask.pixels.begin(), mask.pixels.end(), values_.begin(),
                 [](std::uint8_t v) { return v > 0 ? 1.0f : 0.0f; });
}

TruthMask small_truth(const Image& truth) {
  constexpr int kSide = 512;
  Image ones = truth;
  for (std::uint8_t& pixel : ones.pixels) pixel >>= 7;
  return truth_mask(ones, kSide);
}

const std::vector<std::uint8_t>& Scorer::mask_at(const ProbabilityView& map, double threshold,
                                                 int width, int height) {
  mask_.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  upsampler_.configure(map, width, height);
  mask_from_probabilities(upsampler_, threshold, mask_.data(), width);
  return mask_;
}

ImageScore Scorer::score(const std::string& id, const ProbabilityView& map, double threshold,
                         const Image& truth) {
  const std::vector<std::uint8_t>& mask = mask_at(map, threshold, truth.width, truth.height);
  ImageScore score;
  score.id = id;
  score.width = truth.width;
  score.height = truth.height;
  score.confusion = compare(mask.data(), truth.pixels.data(), mask.size());
  return score;
}

double Scorer::hd95(const ProbabilityView& map, double threshold, const TruthMask& truth) {
  const std::vector<std::uint8_t>& mask = mask_at(map, threshold, truth.width, truth.height);
  return boundary_distance(mask.data(), truth.pixels.data(), truth.width, truth.height);
}

void Scorer::add_pixels(const ProbabilityView& map, const TruthMask& truth,
                        PixelCalibration* pixels) {
  const std::size_t width = static_cast<std::size_t>(truth.width);
  upsampler_.configure(map, truth.width, truth.height);
  for (int y = 0; y < truth.height; ++y)
    pixels->add(upsampler_.row(y), truth.pixels.data() + static_cast<std::size_t>(y) * width,
                width);
}

}  // namespace unetseg::trainer
