// SPDX-License-Identifier: MIT
// From a decoded picture to a mask, exactly as the element does it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/engine/symmetries.h"
#include "model/frame/sampler.h"
#include "model/mask/mask.h"
#include "model/measure/measurer.h"
#include "trainer/predict/frame_view.h"

namespace unetseg::trainer {

struct PredictorOptions {
  std::string weights;
  std::string device = "auto";
  UnetsegEngine engine = UNETSEG_ENGINE_AUTO;
  UnetsegPrecision precision = UNETSEG_PRECISION_AUTO;
  unsigned threads = 0;
  double threshold = -1;       // negative: the weights' own
  double min_confidence = -1;  // likewise
  UnetsegFit fit = UNETSEG_FIT_MODEL;
  UnetsegTta augmentation = UNETSEG_TTA_NONE;
};

// "none", "flips" or "d4".
const char* tta_name(UnetsegTta tta);
// Of such a name; none where it is another.
std::optional<UnetsegTta> tta_named(const std::string& name);

// A loaded network. One thread at a time, always the same.
class Predictor {
 public:
  explicit Predictor(const PredictorOptions& options);
  ~Predictor();

  const ModelCard& card() const { return engine_->card(); }
  double threshold() const { return threshold_; }
  std::string device() const { return engine_->device(); }

  // Probabilities after clean-up, at the network's size or of that part of it which shows the
  // picture; valid until the next call.
  ProbabilityView probabilities(const Image& rgb);

  // The same in two steps: the network is run once, and what it said of that picture is cleaned up
  // for any threshold.
  void infer(const Image& rgb);
  ProbabilityView cleaned(double threshold);

  // What the network said of the last picture, before clean-up; valid until the next picture.
  ProbabilityView network() const { return {network_.data(), map_.width, map_.height, map_.part}; }

  // The mask of the last picture at any size: 0 or 255, dense.
  std::vector<std::uint8_t> mask(int width, int height);

  // The last picture's lesion as the element measures it on a frame of this size, in pixels.
  UnetsegMeasurement measure(int width, int height);

 private:
  std::unique_ptr<Engine> engine_;
  double threshold_;
  CleanUp clean_up_;
  UnetsegFit fit_;
  UnetsegTta augmentation_;
  Symmetries symmetries_;
  ProbabilityView map_{nullptr, 0, 0};  // of the last picture, cleaned up for cleaned_for_
  double cleaned_for_ = 0;
  Sampler sampler_;
  Cleaner cleaner_;
  Upsampler upsampler_;
  Measurer measurer_;
  std::vector<float> input_, network_, cleaned_;
};

}  // namespace unetseg::trainer
