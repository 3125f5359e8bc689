// SPDX-License-Identifier: MIT
#include "trainer/train/validation.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "model/mask/mask.h"
#include "trainer/train/augment.h"
#include "trainer/train/loss.h"

namespace unetseg::trainer {
namespace {

template <typename Score>
double mean(const std::vector<ImageScore>& scores, Score&& score) {
  double sum = 0;
  for (const ImageScore& image : scores) sum += score(image.confusion);
  return scores.empty() ? 0 : sum / static_cast<double>(scores.size());
}

}  // namespace

double ValidationResult::mean_dice() const {
  return mean(scores, [](const Confusion& c) { return c.dice(); });
}
double ValidationResult::mean_jaccard() const {
  return mean(scores, [](const Confusion& c) { return c.jaccard(); });
}

ValidationResult validate(const Network& network, const DecodedSet& set, at::Device device,
                          const std::string& loss, double threshold,
                          std::vector<std::vector<float>>* panel_probabilities,
                          std::size_t panels) {
  const c10::InferenceMode inference;
  constexpr std::size_t kBatch = 16;
  const BatchMaker batches(set, set.width, set.height, device);
  ValidationResult result;
  double loss_sum = 0;
  Upsampler upsampler;
  std::vector<std::uint8_t> mask;
  for (std::size_t first = 0; first < set.size(); first += kBatch) {
    std::vector<std::int64_t> indices(std::min(kBatch, set.size() - first));
    std::iota(indices.begin(), indices.end(), static_cast<std::int64_t>(first));
    const Batch batch = batches.plain(indices);
    const Logits logits = network.forward(batch.images);
    loss_sum += segmentation_loss(loss, false, logits, batch.target).item<double>() *
                static_cast<double>(indices.size());
    const at::Tensor probabilities = at::sigmoid(logits.full).to(at::kCPU).contiguous();
    result.lowest = std::min(result.lowest, probabilities.min().item<double>());
    result.highest = std::max(result.highest, probabilities.max().item<double>());
    const float* map = probabilities.data_ptr<float>();
    const std::size_t pixels = static_cast<std::size_t>(set.width) * set.height;
    for (std::size_t i = first; i < first + indices.size(); ++i, map += pixels) {
      const TruthMask& truth = set.truth[i];
      mask.resize(truth.pixels.size());
      upsampler.configure({map, set.width, set.height}, truth.width, truth.height);
      mask_from_probabilities(upsampler, threshold, mask.data(), truth.width);
      result.scores.push_back({set.ids[i], truth.width, truth.height,
                               compare(mask.data(), truth.pixels.data(), mask.size())});
      if (panel_probabilities != nullptr && i < panels)
        panel_probabilities->emplace_back(map, map + pixels);
    }
  }
  result.loss = loss_sum / static_cast<double>(std::max<std::size_t>(1, set.size()));
  return result;
}

DecodedSet samples_of(const DecodedSet& set, const std::vector<std::size_t>& indices) {
  DecodedSet samples;
  samples.width = set.width;
  samples.height = set.height;
  const std::size_t pixels = static_cast<std::size_t>(set.width) * set.height;
  for (const std::size_t i : indices) {
    const auto image = set.images.begin() + static_cast<std::ptrdiff_t>(3 * pixels * i);
    const auto mask = set.masks.begin() + static_cast<std::ptrdiff_t>(pixels * i);
    samples.images.insert(samples.images.end(), image,
                          image + static_cast<std::ptrdiff_t>(3 * pixels));
    samples.masks.insert(samples.masks.end(), mask, mask + static_cast<std::ptrdiff_t>(pixels));
    samples.ids.push_back(set.ids[i]);
    samples.sha256.push_back(set.sha256[i]);
    samples.aspect.push_back(set.aspect[i]);
    if (!set.truth.empty()) samples.truth.push_back(set.truth[i]);
  }
  return samples;
}

}  // namespace unetseg::trainer
