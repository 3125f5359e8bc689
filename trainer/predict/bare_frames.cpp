// SPDX-License-Identifier: MIT
#include "trainer/predict/bare_frames.h"

#include <algorithm>
#include <array>

#include "trainer/splitmix.h"

namespace unetseg::trainer {
namespace {

constexpr int kWidth = 320, kHeight = 240, kFrames = 20;

struct Window {
  int left, top, width, height;
};

template <typename Pixel>
void for_each_pixel(const Window& window, Pixel&& pixel) {
  for (int y = window.top; y < window.top + window.height; ++y)
    for (int x = window.left; x < window.left + window.width; ++x) pixel(x, y);
}

bool shows_lesion(const Image& truth, const Window& window) {
  bool lesion = false;
  for_each_pixel(window, [&](int x, int y) {
    lesion = lesion || truth.pixels[static_cast<std::size_t>(y) * truth.width + x] != 0;
  });
  return lesion;
}

// A tenth wider on each side, as far as the picture goes.
Window with_margin(const Window& window, const Image& image) {
  const int dx = window.width / 10, dy = window.height / 10;
  const int left = std::max(0, window.left - dx), top = std::max(0, window.top - dy);
  return {left, top, std::min(image.width, window.left + window.width + dx) - left,
          std::min(image.height, window.top + window.height + dy) - top};
}

// Rims and corners of a round field of view.
bool shows_black(const Image& image, const Window& window) {
  constexpr int kBlack = 40;
  constexpr double kAllowed = 0.02;
  int black = 0;
  for_each_pixel(window, [&](int x, int y) {
    const std::uint8_t* rgb =
        image.pixels.data() + 3 * (static_cast<std::size_t>(y) * image.width + x);
    black += *std::max_element(rgb, rgb + 3) < kBlack;
  });
  return black > kAllowed * window.width * window.height;
}

Image cut_out(const Image& image, const Window& window) {
  Image part{window.width, window.height, 3, {}};
  for_each_pixel(window, [&](int x, int y) {
    const auto rgb = image.pixels.begin() + 3 * (static_cast<std::ptrdiff_t>(y) * image.width + x);
    part.pixels.insert(part.pixels.end(), rgb, rgb + 3);
  });
  return part;
}

std::uint8_t byte_of(double value) {
  return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
}

// A frame whose squares of `grain` pixels have the values that `value(channel)` gives, one after
// the other.
template <typename Value>
Image grains(int grain, Value&& value) {
  const int columns = (kWidth + grain - 1) / grain, rows = (kHeight + grain - 1) / grain;
  std::vector<std::uint8_t> squares;
  for (int i = 0; i < columns * rows; ++i)
    for (std::size_t channel = 0; channel < 3; ++channel)
      squares.push_back(byte_of(value(channel)));
  Image image{kWidth, kHeight, 3, {}};
  for_each_pixel({0, 0, kWidth, kHeight}, [&](int x, int y) {
    const auto rgb = squares.begin() + 3 * (y / grain * columns + x / grain);
    image.pixels.insert(image.pixels.end(), rgb, rgb + 3);
  });
  return image;
}

// Frame after frame, each with random numbers of its own.
template <typename Frame>
std::vector<Image> frames(std::uint64_t seed, Frame&& frame) {
  SplitMix64 random(seed);
  std::vector<Image> all;
  for (int i = 0; i < kFrames; ++i) all.push_back(frame(i, random));
  return all;
}

}  // namespace

std::optional<Image> bare_skin(const Scene& scene, std::uint64_t seed) {
  constexpr int kTries = 60;
  SplitMix64 random(seed);
  for (int i = 0; i < kTries; ++i) {
    const double share = random.uniform(0.25, 0.9);
    Window window;
    window.width = std::max(1, static_cast<int>(share * scene.image.width));
    window.height = std::max(1, static_cast<int>(share * scene.image.height));
    window.left = static_cast<int>(
        random.below(static_cast<std::uint64_t>(scene.image.width - window.width) + 1));
    window.top = static_cast<int>(
        random.below(static_cast<std::uint64_t>(scene.image.height - window.height) + 1));
    if (!shows_lesion(scene.truth, with_margin(window, scene.truth)) &&
        !shows_black(scene.image, window))
      return cut_out(scene.image, window);
  }
  return std::nullopt;
}

std::vector<Image> even_frames() {
  return frames(1, [](int i, SplitMix64& random) {
    const double light = random.uniform(20, 255);
    std::array<double, 3> colour = {light, light * random.uniform(0.6, 0.95),
                                    light * random.uniform(0.5, 0.95)};
    if (i % 2 == 1) colour = {random.uniform(0, 255), random.uniform(0, 255), light};
    return grains(kWidth, [&](std::size_t channel) { return colour[channel]; });
  });
}

std::vector<Image> black_frames() {
  return frames(2, [](int i, SplitMix64& random) {
    const double noise = 4.0 * i / (kFrames - 1);
    return grains(1, [&](std::size_t) { return random.uniform(0, noise); });
  });
}

std::vector<Image> noise_frames() {
  return frames(3, [](int i, SplitMix64& random) {
    const double low = random.uniform(0, 100), high = random.uniform(150, 255);
    return grains(1 << i % 6, [&](std::size_t) { return random.uniform(low, high); });
  });
}

}  // namespace unetseg::trainer
