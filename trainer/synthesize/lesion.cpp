// SPDX-License-Identifier: MIT
#include "trainer/synthesize/lesion.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace unetseg::trainer {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kHarmonics = 6;  // of the outline, from the second

// An ellipse whose radius swells and shrinks with the angle.
struct Outline {
  double x, y, radius, stretch, turn;
  std::array<double, kHarmonics> cosine, sine;

  Outline(double aspect, SplitMix64& random) {
    radius = std::exp(random.uniform(std::log(0.26), std::log(0.8)));
    stretch = std::exp(random.uniform(-0.22, 0.22));
    turn = random.uniform(0, 2 * kPi);
    // Large lesions fill the frame, small ones lie anywhere near its middle.
    const double room = std::max(0.0, 0.9 - 1.25 * radius);
    x = room * random.uniform(-0.7, 0.7) * std::min(aspect, 1.3);
    y = room * random.uniform(-0.7, 0.7);
    const double irregularity = random.uniform(0.04, 0.16);
    for (int k = 0; k < kHarmonics; ++k) {
      const double share = irregularity / (1 + 0.5 * k);
      cosine[k] = share * random.uniform(-1, 1);
      sine[k] = share * random.uniform(-1, 1);
    }
  }

  // About the distance from (px, py) to the outline, above 0 inside.
  double distance(double px, double py) const {
    const double dx = px - x, dy = py - y;
    const double u = (dx * std::cos(turn) + dy * std::sin(turn)) / stretch;
    const double v = (dy * std::cos(turn) - dx * std::sin(turn)) * stretch;
    const double length = std::hypot(u, v);
    if (length < 1e-9) return radius;
    // cos and sin of the multiples of the angle, by rotation.
    const double c = u / length, s = v / length;
    double ck = c, sk = s, swell = 1;
    for (int k = 0; k < kHarmonics; ++k) {
      const double next = ck * c - sk * s;
      sk = sk * c + ck * s;
      ck = next;
      swell += cosine[k] * ck + sine[k] * sk;
    }
    return radius * swell - length;
  }
};

// The plane is bent before the outline is laid on it: that makes bays and bulges, but no islands.
cv::Mat outline_field(const Canvas& canvas, const Outline& outline, SplitMix64& random) {
  const double bend = random.uniform(0.02, 0.055) * outline.radius;
  const double frequency = 1.7 / outline.radius;
  const cv::Mat right = bend * fractal_noise(canvas, frequency, 2, 0.45, random.next());
  const cv::Mat down = bend * fractal_noise(canvas, frequency, 2, 0.45, random.next());
  cv::Mat field(canvas.size(), CV_32FC1);
  for (int row = 0; row < canvas.height; ++row) {
    const float *dx = right.ptr<float>(row), *dy = down.ptr<float>(row);
    float* out = field.ptr<float>(row);
    for (int column = 0; column < canvas.width; ++column)
      out[column] = static_cast<float>(
          outline.distance(canvas.x(column) + dx[column], canvas.y(row) + dy[column]));
  }
  return field;
}

// 1 / (1 + exp(-x)).
cv::Mat logistic(const cv::Mat& x) {
  cv::Mat e;
  cv::exp(-x, e);
  return 1 / (1 + e);
}

// How strongly pigment of one kind shows over the lesion: patches of it, 0..1.
cv::Mat patches(const Canvas& canvas, double radius, double share, std::uint64_t seed) {
  return logistic(4 * (fractal_noise(canvas, 1.3 / radius, 3, 0.5, seed) + 2.2 * (share - 0.5)));
}

// The structures that multiply the lesion's pigment, around 1. Meshes and globules have sizes of
// their own, whatever the lesion's: those of the skin's ridges.
cv::Mat structure(const Canvas& canvas, const Outline& outline, SplitMix64& random) {
  const double radius = outline.radius;
  const double clouds = random.uniform(0.15, 0.4);
  cv::Mat pattern = 1 + clouds * fractal_noise(canvas, 1.6 / radius, 5, 0.62, random.next());
  if (random.chance(0.6)) {
    const double mesh = random.uniform(16, 28), contrast = random.uniform(0.25, 0.7);
    const cv::Mat net = 1 - cv::min(2.2 * cells(canvas, mesh, random.next()).to_border, 1);
    pattern += contrast * patches(canvas, radius, 0.6, random.next()).mul(net - 0.35);
  }
  if (random.chance(0.45)) {
    const double spacing = random.uniform(14, 26), contrast = random.uniform(0.3, 0.9);
    const cv::Mat dots = logistic(14 * (0.3 - cells(canvas, spacing, random.next()).to_centre));
    pattern += contrast * patches(canvas, radius, 0.4, random.next()).mul(dots);
  }
  const double blotches = random.uniform(0.3, 2.2), share = random.uniform(0.1, 0.45);
  pattern += blotches * patches(canvas, radius, share, random.next());
  // One side is often darker than the other.
  const double angle = random.uniform(0, 2 * kPi), slope = random.uniform(0, 0.3) / radius;
  const double across = slope * std::cos(angle), down = slope * std::sin(angle);
  for (int row = 0; row < canvas.height; ++row) {
    float* out = pattern.ptr<float>(row);
    for (int column = 0; column < canvas.width; ++column)
      out[column] += static_cast<float>(across * (canvas.x(column) - outline.x) +
                                        down * (canvas.y(row) - outline.y));
  }
  return cv::max(pattern, 0.3);
}

}  // namespace

Lesion paint_lesion(const Canvas& canvas, double aspect, std::uint64_t seed, Pigments* pigments) {
  SplitMix64 shape = random_of(seed, Part::outline);
  const Outline outline(aspect, shape);
  const double radius = outline.radius;
  Lesion lesion;
  lesion.reach = std::hypot(outline.x, outline.y) + 1.35 * radius;
  lesion.field = outline_field(canvas, outline, shape);

  // Pigment frays where the outline, as a person draws it, stays smooth. At the outline a fifth of
  // the pigment shows, as at those of ISIC 2017.
  SplitMix64 random = random_of(seed, Part::pigment);
  const double fraying = random.uniform(0.01, 0.045) * radius;
  const cv::Mat frayed =
      lesion.field + fraying * fractal_noise(canvas, 5 / radius, 3, 0.7, random.next());
  const double softness = random.uniform(0.4, 1.5);
  const cv::Mat presence = logistic((frayed / radius - 0.1 * softness) / (0.075 * softness));

  const double depth = std::exp(random.uniform(std::log(0.13), std::log(0.5)));
  const double redness = random.uniform(0, 0.2);
  pigments->melanin += depth * presence.mul(structure(canvas, outline, random));
  pigments->blood +=
      redness * presence.mul(1 + 0.4 * fractal_noise(canvas, 3 / radius, 3, 0.6, random.next()));
  if (random.chance(0.4)) {  // a faint blush around it
    const double blush = random.uniform(0.02, 0.1);
    pigments->blood += blush * logistic((lesion.field + 0.2 * radius) / (0.12 * radius));
  }
  if (random.chance(0.25)) {
    const double strength = random.uniform(0.25, 0.65);
    lesion.veil =
        strength *
        logistic((frayed / radius - 0.3) / 0.08).mul(patches(canvas, radius, 0.45, random.next()));
  }
  return lesion;
}

}  // namespace unetseg::trainer
