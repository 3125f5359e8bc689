// SPDX-License-Identifier: MIT
#include "trainer/predict/teacher.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

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

PredictorOptions predictor_options(const TeacherOptions& options, const std::string& weights) {
  PredictorOptions predictor;
  predictor.weights = weights;
  predictor.device = options.device;
  predictor.engine = engine_on(options.device);
  predictor.precision = options.precision;
  predictor.threads = options.threads;
  predictor.augmentation = options.augmentation;
  return predictor;
}

Image picture_of(const DecodedSet& set, std::size_t index) {
  const std::size_t bytes = 3 * static_cast<std::size_t>(set.width) * set.height;
  const auto first = set.images.begin() + static_cast<std::ptrdiff_t>(bytes * index);
  return {set.width, set.height, 3, {first, first + static_cast<std::ptrdiff_t>(bytes)}};
}

class Teacher {
 public:
  Teacher(const TeacherOptions& options, const std::string& weights)
      : predictor_(predictor_options(options, weights)) {
    require_teacher(predictor_.card(), weights);
  }

  // Adds what the network finds in the picture, at its size.
  void add(const Image& picture, float* sums) {
    predictor_.infer(picture);
    resized_.configure(predictor_.network(), picture.width, picture.height);
    for (int y = 0; y < picture.height; ++y) {
      const float* row = resized_.row(y);
      for (int x = 0; x < picture.width; ++x) *sums++ += row[x];
    }
  }

 private:
  Predictor predictor_;
  Upsampler resized_;
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
  // A pixel that the truth leaves out and all teachers are sure of must stay below one half when
  // both count the same.
  constexpr long kSurest = 254;
  std::vector<std::unique_ptr<Teacher>> teachers;
  for (const std::string& weights : options.weights)
    teachers.push_back(std::make_unique<Teacher>(options, weights));
  const float scale = 255 / static_cast<float>(teachers.size());
  const std::size_t pixels = static_cast<std::size_t>(set.width) * set.height;
  std::vector<float> sums(pixels);
  std::vector<std::uint8_t> found(set.size() * pixels);
  for (std::size_t i = 0; i < set.size(); ++i) {
    if (stop) throw Error(Fault::failed, "stopped before the teachers had seen all images");
    const Image picture = picture_of(set, i);
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (const auto& teacher : teachers) teacher->add(picture, sums.data());
    std::transform(sums.begin(), sums.end(), found.data() + i * pixels, [&](float sum) {
      return static_cast<std::uint8_t>(std::min(kSurest, std::lround(scale * sum)));
    });
    if (progress) progress(i + 1, set.size());
  }
  return found;
}

}  // namespace unetseg::trainer
