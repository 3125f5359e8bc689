// SPDX-License-Identifier: MIT
#include "model/engine/symmetries.h"

namespace unetseg {
namespace {

// Symmetries are numbered by what they are made of; 0 is the input itself.
constexpr std::size_t kMirrorX = 1, kMirrorY = 2, kTranspose = 4;

// Pixel (x, y) of a copy is the input's at `origin + x * right + y * down`.
struct Walk {
  std::ptrdiff_t origin, right, down;
};

Walk walk(std::size_t symmetry, int width, int height) {
  Walk walk = {0, 1, width};
  if (symmetry & kMirrorX) {
    walk.origin += width - 1;
    walk.right = -1;
  }
  if (symmetry & kMirrorY) {
    walk.origin += std::ptrdiff_t{height - 1} * width;
    walk.down = -width;
  }
  if (symmetry & kTranspose) std::swap(walk.right, walk.down);
  return walk;
}

}  // namespace

std::size_t Symmetries::count(UnetsegTta tta) const {
  if (tta == UNETSEG_TTA_NONE) return 1;
  return tta == UNETSEG_TTA_D4 && width_ == height_ ? 8 : 4;
}

void Symmetries::make_room(std::size_t count) {
  const std::size_t pixels = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  while (inputs_.size() < count - 1) inputs_.emplace_back(3 * pixels);
  while (outputs_.size() < count - 1) outputs_.emplace_back(pixels);
  for (std::size_t i = 1; i < count; ++i) {
    input_pointers_[i] = inputs_[i - 1].data();
    output_pointers_[i] = outputs_[i - 1].data();
  }
}

void Symmetries::run(Engine& engine, UnetsegTta tta, const float* const* inputs,
                     float* const* probabilities, int n) {
  const std::size_t copies = count(tta);
  if (copies == 1) return engine.run(inputs, probabilities, n);
  make_room(copies);
  // One after the other: copies of 32 frames at once would take 70 MB.
  for (int i = 0; i < n; ++i) average(engine, copies, inputs[i], probabilities[i]);
}

void Symmetries::average(Engine& engine, std::size_t count, const float* input,
                         float* probabilities) {
  input_pointers_[0] = input;
  output_pointers_[0] = probabilities;
  const std::ptrdiff_t pixels = std::ptrdiff_t{width_} * height_;
  for (std::size_t i = 1; i < count; ++i) {
    const Walk from = walk(i, width_, height_);
    float* to = inputs_[i - 1].data();
    for (std::ptrdiff_t plane = 0; plane < 3 * pixels; plane += pixels)
      for (int y = 0; y < height_; ++y) {
        const float* row = input + plane + from.origin + y * from.down;
        for (int x = 0; x < width_; ++x) *to++ = row[x * from.right];
      }
  }
  engine.run(input_pointers_.data(), output_pointers_.data(), static_cast<int>(count));
  const float share = 1 / static_cast<float>(count);
  for (std::ptrdiff_t i = 0; i < pixels; ++i) probabilities[i] *= share;
  for (std::size_t i = 1; i < count; ++i) {
    const Walk to = walk(i, width_, height_);
    const float* copy = outputs_[i - 1].data();
    for (int y = 0; y < height_; ++y) {
      float* row = probabilities + to.origin + y * to.down;
      for (int x = 0; x < width_; ++x) row[x * to.right] += share * *copy++;
    }
  }
}

}  // namespace unetseg
