// SPDX-License-Identifier: MIT
#include "trainer/train/validation.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <numeric>

#include "model/mask/mask.h"
#include "trainer/data/parallel.h"
#include "trainer/train/augment.h"
#include "trainer/train/loss.h"

namespace unetseg::trainer {
namespace {

constexpr std::size_t kBatchOnCpu = 4, kBatchOnGpu = 64;  // at most

std::size_t pieces(std::size_t whole, std::size_t size) {
  return (whole + size - 1) / size;
}

template <typename Score>
double mean(const std::vector<ImageScore>& scores, Score&& score) {
  double sum = 0;
  for (const ImageScore& image : scores) sum += score(image.confusion);
  return scores.empty() ? 0 : sum / static_cast<double>(scores.size());
}

struct BatchResult {
  double loss_sum = 0, lowest = 1, highest = 0;
  at::Tensor probabilities;  // on the CPU
};

BatchResult infer(const Network& network, const BatchMaker& batches, const std::string& loss,
                  std::size_t first, std::size_t count) {
  const c10::InferenceMode inference;
  std::vector<std::int64_t> indices(count);
  std::iota(indices.begin(), indices.end(), static_cast<std::int64_t>(first));
  const Batch batch = batches.plain(indices);
  const Logits logits = network.forward(batch.images);
  BatchResult result;
  result.loss_sum = segmentation_loss(loss, false, logits, batch.target).item<double>() *
                    static_cast<double>(count);
  result.probabilities = at::sigmoid(logits.full).to(at::kCPU).contiguous();
  result.lowest = result.probabilities.min().item<double>();
  result.highest = result.probabilities.max().item<double>();
  return result;
}

ImageScore score_of(const DecodedSet& set, std::size_t i, const float* map, double threshold) {
  const TruthMask& truth = set.truth[i];
  std::vector<std::uint8_t> mask(truth.pixels.size());
  Upsampler upsampler;
  upsampler.configure({map, set.width, set.height}, truth.width, truth.height);
  mask_from_probabilities(upsampler, threshold, mask.data(), truth.width);
  ImageScore score;
  score.id = set.ids[i];
  score.width = truth.width;
  score.height = truth.height;
  score.confusion = compare(mask.data(), truth.pixels.data(), mask.size());
  return score;
}

}  // namespace

double ValidationResult::mean_dice() const {
  return mean(scores, [](const Confusion& c) { return c.dice(); });
}
double ValidationResult::mean_jaccard() const {
  return mean(scores, [](const Confusion& c) { return c.jaccard(); });
}

ValidationResult validate(const Network& network, const DecodedSet& set, const BatchMaker& batches,
                          unsigned threads, const std::string& loss, double threshold,
                          std::vector<std::vector<float>>* panel_probabilities,
                          std::size_t panels) {
  const bool on_cpu = batches.device().is_cpu();
  const std::size_t count = pieces(set.size(), on_cpu ? kBatchOnCpu : kBatchOnGpu);
  // All of one size, where a GPU looks for the fastest kernels of each.
  const std::size_t batch_size = on_cpu ? kBatchOnCpu : pieces(set.size(), count);
  ValidationResult result;
  result.scores.resize(set.size());
  std::vector<BatchResult> parts(count);
  if (panel_probabilities != nullptr) panel_probabilities->resize(std::min(panels, set.size()));
  const auto infer_part = [&](std::size_t part) {
    const std::size_t first = part * batch_size;
    parts[part] = infer(network, batches, loss, first, std::min(batch_size, set.size() - first));
  };
  const auto score_image = [&](std::size_t i) {
    const std::size_t pixels = static_cast<std::size_t>(set.width) * set.height;
    const float* map = parts[i / batch_size].probabilities.data_ptr<float>();
    map += i % batch_size * pixels;
    result.scores[i] = score_of(set, i, map, threshold);
    if (panel_probabilities != nullptr && i < panels)
      (*panel_probabilities)[i].assign(map, map + pixels);
  };
  const auto infer_and_score_part = [&](std::size_t part) {
    infer_part(part);
    const std::size_t first = part * batch_size;
    for (std::size_t i = first; i < std::min(set.size(), first + batch_size); ++i) score_image(i);
    parts[part].probabilities.reset();
  };
  if (on_cpu && !parts.empty()) {
    for_each_item(parts.size(), threads, [&] { return infer_and_score_part; });
  } else if (!parts.empty()) {
    for (std::size_t part = 0; part < parts.size(); ++part) infer_part(part);
    for_each_item(set.size(), threads, [&] { return score_image; });
  }
  for (const BatchResult& part : parts) {
    result.loss += part.loss_sum / static_cast<double>(set.size());
    result.lowest = std::min(result.lowest, part.lowest);
    result.highest = std::max(result.highest, part.highest);
  }
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
