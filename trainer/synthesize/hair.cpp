// SPDX-License-Identifier: MIT
#include "trainer/synthesize/hair.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace unetseg::trainer {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kSubpixelBits = 4;
// The layer is drawn at twice the size: a stroke can then be half a pixel wide.
constexpr int kOversampling = 2;

int hair_count(SplitMix64& random) {
  const double kind = random.uniform();
  if (kind < 0.45) return 0;
  if (kind < 0.85) return 2 + static_cast<int>(random.below(9));
  return 12 + static_cast<int>(random.below(22));
}

// The hairs of one patch of skin lie more or less one way.
struct Growth {
  double direction, spread, thickness, opacity;
};

// A tapering stroke whose heading changes slowly; `layer` holds opacity, 0..255.
void draw_hair(const Canvas& canvas, const Growth& growth, SplitMix64& random, cv::Mat& layer) {
  constexpr double kStep = 0.025;
  const double length = random.uniform(0.5, 2.6);
  const double thickness = growth.thickness * random.uniform(0.6, 1.3);
  double x = random.uniform(-2.0, 2.0), y = random.uniform(-1.4, 1.4);
  double heading = growth.direction + growth.spread * random.uniform(-1, 1);
  double curvature = random.uniform(-0.9, 0.9);
  const double bend = random.uniform(-0.8, 0.8);
  // Hairs are drawn from their middle: start half a length back.
  x -= 0.5 * length * std::cos(heading);
  y -= 0.5 * length * std::sin(heading);
  const auto place = [&] {
    const double scale = kOversampling * (1 << kSubpixelBits);
    return cv::Point(static_cast<int>(std::lround((canvas.column(x) + 0.5) * scale)),
                     static_cast<int>(std::lround((canvas.row(y) + 0.5) * scale)));
  };
  cv::Point from = place();
  for (double s = 0; s < length; s += kStep) {
    heading += curvature * kStep;
    curvature += bend * kStep;
    x += kStep * std::cos(heading);
    y += kStep * std::sin(heading);
    const cv::Point to = place();
    const double taper = std::min(1.0, 0.35 + 3 * (1 - s / length));
    const double stroke = kOversampling * thickness * taper * canvas.unit;
    // Thinner than the thinnest stroke: fainter instead.
    const double opacity = 255 * growth.opacity * std::min(1.0, stroke);
    cv::line(layer, from, to, cv::Scalar(opacity),
             std::max(1, static_cast<int>(std::lround(stroke))), cv::LINE_AA, kSubpixelBits);
    from = to;
  }
}

}  // namespace

void paint_hair(const Canvas& canvas, std::uint64_t seed, cv::Mat* picture) {
  SplitMix64 random = random_of(seed, Part::hair);
  const int count = hair_count(random);
  if (count == 0) return;
  Growth growth;
  growth.direction = random.uniform(0, 2 * kPi);
  growth.spread = random.uniform(0.2, 1.2);
  growth.thickness = random.uniform(0.005, 0.013);
  growth.opacity = random.uniform(0.55, 0.9);
  // Black, brown or fair.
  const double fairness = random.chance(0.25) ? random.uniform(0.5, 1) : random.uniform(0, 0.3);
  const std::array<double, 3> colour = {30 + 90 * fairness, 22 + 62 * fairness, 20 + 36 * fairness};
  cv::Mat large =
      cv::Mat::zeros(kOversampling * canvas.height, kOversampling * canvas.width, CV_8U);
  for (int i = 0; i < count; ++i) draw_hair(canvas, growth, random, large);
  cv::Mat layer;
  cv::resize(large, layer, canvas.size(), 0, 0, cv::INTER_AREA);
  for (int row = 0; row < canvas.height; ++row) {
    const std::uint8_t* opacity = layer.ptr<std::uint8_t>(row);
    std::uint8_t* pixel = picture->ptr<std::uint8_t>(row);
    for (int column = 0; column < canvas.width; ++column, pixel += 3) {
      if (opacity[column] == 0) continue;
      const double share = opacity[column] / 255.0;
      for (std::size_t c = 0; c < 3; ++c)
        pixel[c] = cv::saturate_cast<std::uint8_t>(pixel[c] + share * (colour[c] - pixel[c]));
    }
  }
}

}  // namespace unetseg::trainer
