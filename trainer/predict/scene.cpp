// SPDX-License-Identifier: MIT
#include "trainer/predict/scene.h"

#include <algorithm>
#include <cmath>

#include "model/frame/sampler.h"
#include "trainer/data/mask_pixels.h"
#include "trainer/predict/frame_view.h"

namespace unetseg::trainer {

Scene scene_of(const Image& picture, const Image& truth) {
  constexpr double kLongestSide = 512;
  const double aspect = static_cast<double>(truth.width) / truth.height;
  const double tall = std::max<double>(picture.height, picture.width / aspect);
  const double scale = std::min(1.0, kLongestSide / (tall * std::max(1.0, aspect)));
  const int height = std::max(1, static_cast<int>(std::lround(tall * scale)));
  const int width = std::max(1, static_cast<int>(std::lround(tall * aspect * scale)));
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  Scene scene{{width, height, 3, std::vector<std::uint8_t>(3 * pixels)},
              {width, height, 1, std::vector<std::uint8_t>(pixels)}};
  Sampler(width, height).sample_rgb8(frame_of(picture), scene.image.pixels.data());
  Image ones = truth;
  for (std::uint8_t& pixel : ones.pixels) pixel >>= 7;
  coverage(ones, width, height, scene.truth.pixels.data());
  for (std::uint8_t& pixel : scene.truth.pixels) pixel = pixel >= 128 ? 255 : 0;
  return scene;
}

void lay_over(const std::uint8_t* layer, Image* image) {
  const std::size_t pixels = image->pixels.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const double skin = 1 - layer[3 * pixels + i] / 255.0;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      std::uint8_t& value = image->pixels[3 * i + channel];
      value = static_cast<std::uint8_t>(
          std::min(255L, std::lround(value * skin + layer[channel * pixels + i])));
    }
  }
}

}  // namespace unetseg::trainer
