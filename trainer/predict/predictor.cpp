// SPDX-License-Identifier: MIT
#include "trainer/predict/predictor.h"

#include <algorithm>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

constexpr int kMirrorX = 1, kMirrorY = 2, kTranspose = 4;

std::unique_ptr<Engine> open_engine(const PredictorOptions& options) {
  UnetsegOpenOptions open = {};
  open.model_file = options.weights.c_str();
  open.device = options.device.c_str();
  open.threads = options.threads;
  open.n_slots = 1;
  return make_engine(open);
}

std::vector<int> symmetries(TestTimeAugmentation augmentation, const ModelCard& card) {
  switch (augmentation) {
    case TestTimeAugmentation::none:
      return {0};
    case TestTimeAugmentation::flips:
      return {0, 1, 2, 3};
    case TestTimeAugmentation::d4:
      break;
  }
  if (card.input_width != card.input_height)
    throw Error(Fault::settings,
                "--tta d4 turns the picture: it needs a square network input; use flips");
  return {0, 1, 2, 3, 4, 5, 6, 7};
}

// Position in the original plane of pixel (x, y) of the copy.
std::size_t source_index(int symmetry, int x, int y, int width, int height) {
  if (symmetry & kTranspose) std::swap(x, y);
  if (symmetry & kMirrorX) x = width - 1 - x;
  if (symmetry & kMirrorY) y = height - 1 - y;
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
         static_cast<std::size_t>(x);
}

}  // namespace

UnetsegFrame frame_of(const Image& image) {
  UnetsegFrame frame = {};
  frame.format = image.channels == 1 ? UNETSEG_FORMAT_GRAY8 : UNETSEG_FORMAT_RGB;
  frame.width = image.width;
  frame.height = image.height;
  // A view for reading: the sampler does not write.
  frame.plane[0] = const_cast<guint8*>(image.pixels.data());
  frame.stride[0] = image.width * image.channels;
  frame.full_range = TRUE;
  return frame;
}

Predictor::Predictor(const PredictorOptions& options)
    : engine_(open_engine(options)),
      threshold_(options.threshold < 0 ? engine_->card().threshold : options.threshold),
      symmetries_(symmetries(options.augmentation, engine_->card())),
      sampler_(engine_->card().input_width, engine_->card().input_height,
               engine_->card().normalisation) {
  const std::size_t pixels = static_cast<std::size_t>(card().input_width) * card().input_height;
  for (std::size_t i = 0; i < symmetries_.size(); ++i) {
    inputs_.emplace_back(3 * pixels);
    outputs_.emplace_back(pixels);
  }
  for (std::size_t i = 0; i < symmetries_.size(); ++i) {
    input_pointers_.push_back(inputs_[i].data());
    output_pointers_.push_back(outputs_[i].data());
  }
  mean_.resize(pixels);
}

Predictor::~Predictor() = default;

ProbabilityView Predictor::probabilities(const Image& rgb) {
  const int width = card().input_width, height = card().input_height;
  const std::size_t pixels = mean_.size();
  sampler_.sample(frame_of(rgb), inputs_[0].data());
  for (std::size_t i = 1; i < symmetries_.size(); ++i)
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const float* in = inputs_[0].data() + plane * pixels;
      float* out = inputs_[i].data() + plane * pixels;
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          *out++ = in[source_index(symmetries_[i], x, y, width, height)];
    }
  engine_->run(input_pointers_.data(), output_pointers_.data(),
               static_cast<int>(symmetries_.size()));
  std::fill(mean_.begin(), mean_.end(), 0.0f);
  const float share = 1 / static_cast<float>(symmetries_.size());
  for (std::size_t i = 0; i < symmetries_.size(); ++i) {
    const float* copy = outputs_[i].data();
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        mean_[source_index(symmetries_[i], x, y, width, height)] += share * *copy++;
  }
  cleaner_.clean(mean_.data(), width, height, threshold_, card().clean_up);
  return {mean_.data(), width, height};
}

std::vector<std::uint8_t> Predictor::mask(int width, int height) {
  std::vector<std::uint8_t> mask(static_cast<std::size_t>(width) *
                                 static_cast<std::size_t>(height));
  upsampler_.configure({mean_.data(), card().input_width, card().input_height}, width, height);
  mask_from_probabilities(upsampler_, threshold_, mask.data(), width);
  return mask;
}

}  // namespace unetseg::trainer
