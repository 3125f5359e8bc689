// SPDX-License-Identifier: MIT
#include "trainer/predict/conditions.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

#include "trainer/splitmix.h"

namespace unetseg::trainer {
namespace {

// Applies `change(value)` to each of the image's bytes.
template <typename Change>
Scene changed(Scene scene, Change&& change) {
  for (std::uint8_t& value : scene.image.pixels)
    value = static_cast<std::uint8_t>(
        std::lround(std::clamp(change(static_cast<double>(value)), 0.0, 255.0)));
  return scene;
}

cv::Mat view_of(Image* image) {
  return {image->height, image->width, image->channels == 3 ? CV_8UC3 : CV_8UC1,
          image->pixels.data()};
}

Scene blurred(Scene scene) {
  constexpr double kDeviation = 0.012;
  cv::Mat pixels = view_of(&scene.image);
  cv::GaussianBlur(pixels, pixels, {}, kDeviation * std::max(pixels.cols, pixels.rows));
  return scene;
}

Scene noisy(const Scene& scene, std::uint64_t seed) {
  constexpr double kDeviation = 0.12 * 255, kTurn = 6.283185307179586;
  SplitMix64 random(seed);
  return changed(scene, [&](double value) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));  // Box and Muller
    return value + kDeviation * radius * std::cos(kTurn * random.uniform());
  });
}

Scene flat(const Scene& scene) {
  double sum = 0;
  for (const std::uint8_t value : scene.image.pixels) sum += value;
  const double mean = sum / static_cast<double>(scene.image.pixels.size());
  return changed(scene, [&](double value) { return mean + 0.4 * (value - mean); });
}

Scene in_a_round_rim(Scene scene) {
  const int width = scene.image.width, height = scene.image.height;
  const double radius = 0.45 * std::max(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      if (std::hypot(x + 0.5 - width / 2.0, y + 0.5 - height / 2.0) <= radius) continue;
      const std::size_t pixel = static_cast<std::size_t>(y) * width + x;
      std::fill_n(scene.image.pixels.begin() + 3 * pixel, 3, std::uint8_t{0});
      scene.truth.pixels[pixel] = 0;
    }
  return scene;
}

Scene compressed(Scene scene) {
  scene.image = decode_rgb(encode_jpeg(scene.image, 30), "a picture of the data set as JPEG");
  return scene;
}

Scene grey(Scene scene) {
  cv::Mat pixels = view_of(&scene.image), luma;
  cv::cvtColor(pixels, luma, cv::COLOR_RGB2GRAY);
  cv::cvtColor(luma, pixels, cv::COLOR_GRAY2RGB);
  return scene;
}

// A window of width x height around the image's centre, zeros outside of the image.
Image window_of(const Image& image, int width, int height) {
  Image window{
      width, height, image.channels,
      std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * image.channels)};
  const int left = (image.width - width) / 2, top = (image.height - height) / 2;
  const int first = std::max(0, left), last = std::min(image.width, left + width);
  for (int y = std::max(0, top); y < std::min(image.height, top + height); ++y) {
    const auto from =
        image.pixels.begin() + static_cast<std::ptrdiff_t>(y) * image.width * image.channels;
    const auto to = window.pixels.begin() +
                    (static_cast<std::ptrdiff_t>(y - top) * width + first - left) * image.channels;
    std::copy(from + first * image.channels, from + last * image.channels, to);
  }
  return window;
}

Scene framed(const Scene& scene, double aspect) {
  const double area = static_cast<double>(scene.image.width) * scene.image.height;
  const int width = std::max(1, static_cast<int>(std::lround(std::sqrt(area * aspect))));
  const int height = std::max(1, static_cast<int>(std::lround(std::sqrt(area / aspect))));
  return {window_of(scene.image, width, height), window_of(scene.truth, width, height)};
}

Condition framing(const char* name, double aspect) {
  return {name, [aspect](const Scene& scene, std::uint64_t) { return framed(scene, aspect); }};
}

Condition exposure(const char* name, double gain) {
  return {name, [gain](const Scene& scene, std::uint64_t) {
            return changed(scene, [gain](double value) { return gain * value; });
          }};
}

// Of what needs no random numbers.
template <typename Apply>
Condition plainly(const char* name, Apply apply) {
  return {name, [apply](const Scene& scene, std::uint64_t) { return apply(scene); }};
}

}  // namespace

std::vector<Condition> camera_conditions() {
  return {plainly("blur", blurred),
          {"noise", noisy},
          exposure("dark", 0.4),
          exposure("bright", 1.5),
          plainly("low contrast", flat),
          plainly("vignette", in_a_round_rim),
          plainly("jpeg", compressed),
          plainly("grey", grey),
          framing("1:1", 1),
          framing("16:9", 16.0 / 9),
          framing("9:16", 9.0 / 16)};
}

}  // namespace unetseg::trainer
