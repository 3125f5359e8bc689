// SPDX-License-Identifier: MIT
#include "trainer/predict/teacher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "model/network/stored_card.h"
#include "trainer/predict/predictor.h"

namespace unetseg::trainer {
namespace {

void require_teacher(const ModelCard& card, const std::string& path) {
  if (card.architecture != "improved-unet")
    throw Error(Fault::settings,
                fmt::format("{} cannot teach: what a {} tells is no probability; take weights of "
                            "improved-unet",
                            path, card.architecture));
  if (card.fit != UNETSEG_FIT_STRETCH)
    throw Error(Fault::settings,
                fmt::format("{} takes pictures with fit={}, and training stretches them: take a "
                            "teacher with fit=stretch",
                            path, fit_name(card.fit)));
}

// Named, since one that is chosen by timing could be another when the run goes on.
UnetsegEngine engine_on(const std::string& device) {
  return device == "cpu" ? UNETSEG_ENGINE_FUSED_CPU : UNETSEG_ENGINE_LIBTORCH;
}

// What one network finds in each picture, added to `sums`.
class Adder {
 public:
  Adder(const TeacherOptions& options, const std::string& weights, const DecodedSet& set)
      : set_(set), predictor_([&] {
          PredictorOptions predictor;
          predictor.weights = weights;
          predictor.device = options.device;
          predictor.engine = engine_on(options.device);
          predictor.precision = options.precision;
          predictor.threads = options.threads;
          predictor.augmentation = options.augmentation;
          return predictor;
        }()) {
    require_teacher(predictor_.card(), weights);
    picture_.width = set.width;
    picture_.height = set.height;
    picture_.channels = 3;
  }

  void add(std::size_t index, float* sums) {
    const std::size_t pixels = static_cast<std::size_t>(set_.width) * set_.height;
    const auto first = set_.images.begin() + static_cast<std::ptrdiff_t>(3 * pixels * index);
    picture_.pixels.assign(first, first + static_cast<std::ptrdiff_t>(3 * pixels));
    predictor_.infer(picture_);
    resized_.configure(predictor_.network(), set_.width, set_.height);
    for (int y = 0; y < set_.height; ++y) {
      const float* row = resized_.row(y);
      for (int x = 0; x < set_.width; ++x) *sums++ += row[x];
    }
  }

 private:
  const DecodedSet& set_;
  Predictor predictor_;
  Upsampler resized_;
  Image picture_;
};

}  // namespace

std::vector<std::string> teacher_hashes(const std::vector<std::string>& weights) {
  std::vector<std::string> hashes;
  for (const std::string& path : weights) {
    const SafetensorsFile file = read_safetensors(path);
    require_teacher(card_of(file), path);
    hashes.push_back(tensors_sha256(file));
  }
  return hashes;
}

std::vector<std::uint8_t> found_by_teachers(const TeacherOptions& options, const DecodedSet& set,
                                            const ItemProgress& progress,
                                            const std::atomic<bool>& stop) {
  const std::size_t pixels = static_cast<std::size_t>(set.width) * set.height;
  std::vector<float> sums(set.size() * pixels);
  std::size_t done = 0;
  for (const std::string& weights : options.weights) {
    Adder adder(options, weights, set);
    for (std::size_t i = 0; i < set.size(); ++i) {
      if (stop) throw Error(Fault::failed, "stopped before the teachers had seen all images");
      adder.add(i, sums.data() + pixels * i);
      if (progress) progress(++done, options.weights.size() * set.size());
    }
  }
  // A pixel that the truth leaves out and all teachers are sure of must stay below one half when
  // both count the same.
  constexpr long kSurest = 254;
  const float scale = 255 / static_cast<float>(options.weights.size());
  std::vector<std::uint8_t> found(sums.size());
  std::transform(sums.begin(), sums.end(), found.begin(), [&](float sum) {
    return static_cast<std::uint8_t>(std::min(kSurest, std::lround(scale * sum)));
  });
  return found;
}

}  // namespace unetseg::trainer
