// SPDX-License-Identifier: MIT
#include "trainer/predict/predictor.h"

#include <algorithm>

namespace unetseg::trainer {
namespace {

std::unique_ptr<Engine> open_engine(const PredictorOptions& options) {
  UnetsegOpenOptions open = {};
  open.model_file = options.weights.c_str();
  open.device = options.device.c_str();
  open.engine = options.engine;
  open.precision = options.precision;
  open.threads = options.threads;
  open.n_slots = 1;
  return make_engine(open);
}

}  // namespace

const char* tta_name(UnetsegTta tta) {
  return tta == UNETSEG_TTA_D4 ? "d4" : tta == UNETSEG_TTA_FLIPS ? "flips" : "none";
}

std::optional<UnetsegTta> tta_named(const std::string& name) {
  for (const UnetsegTta tta : {UNETSEG_TTA_NONE, UNETSEG_TTA_FLIPS, UNETSEG_TTA_D4})
    if (name == tta_name(tta)) return tta;
  return std::nullopt;
}

Predictor::Predictor(const PredictorOptions& options)
    : engine_(open_engine(options)),
      threshold_(options.threshold < 0 ? engine_->card().threshold : options.threshold),
      clean_up_(engine_->card().clean_up),
      fit_(options.fit == UNETSEG_FIT_MODEL ? engine_->card().fit : options.fit),
      augmentation_(options.augmentation),
      symmetries_(engine_->card().input_width, engine_->card().input_height),
      sampler_(engine_->card().input_width, engine_->card().input_height,
               engine_->card().normalisation) {
  if (options.min_confidence >= 0) clean_up_.min_confidence = options.min_confidence;
  const std::size_t pixels = static_cast<std::size_t>(card().input_width) * card().input_height;
  input_.resize(3 * pixels);
  network_.resize(pixels);
  cleaned_.resize(pixels);
}

Predictor::~Predictor() = default;

ProbabilityView Predictor::probabilities(const Image& rgb) {
  infer(rgb);
  return cleaned(threshold_);
}

void Predictor::infer(const Image& rgb) {
  const Framing framing = sampler_.sample(frame_of(rgb), input_.data(), fit_);
  const float* const inputs[] = {input_.data()};
  float* const outputs[] = {network_.data()};
  symmetries_.run(*engine_, augmentation_, inputs, outputs, 1);
  keep_shown(framing, card().input_width, network_.data());
  map_ = {cleaned_.data(), framing.width, framing.height, framing.part};
}

ProbabilityView Predictor::cleaned(double threshold) {
  std::copy_n(network_.begin(), static_cast<std::size_t>(map_.width) * map_.height,
              cleaned_.begin());
  cleaner_.clean(cleaned_.data(), map_.width, map_.height, threshold,
                 of_part(clean_up_, map_.part));
  cleaned_for_ = threshold;
  return map_;
}

std::vector<std::uint8_t> Predictor::mask(int width, int height) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(width) *
                                 static_cast<std::size_t>(height));
  upsampler_.configure(map_, width, height);
  mask_from_probabilities(upsampler_, cleaned_for_, mask.data(), width);
  return mask;
}

UnetsegMeasurement Predictor::measure(int width, int height) {
  return measurer_.measure(map_, map_.data, network_.data(), width, height, cleaned_for_);
}

}  // namespace unetseg::trainer
