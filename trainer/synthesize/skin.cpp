// SPDX-License-Identifier: MIT
#include "trainer/synthesize/skin.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace unetseg::trainer {
namespace {

struct WeightedTone {
  double weight;
  Tone tone;
};

// From very light to very dark, as the cameras of the ISIC archive balance their whites.
constexpr std::array<WeightedTone, 9> kTones = {{{0.16, {228, 192, 190}},
                                                 {0.18, {208, 200, 188}},
                                                 {0.12, {210, 160, 162}},
                                                 {0.16, {208, 176, 148}},
                                                 {0.10, {222, 168, 130}},
                                                 {0.12, {184, 158, 140}},
                                                 {0.05, {172, 184, 206}},
                                                 {0.08, {174, 134, 104}},
                                                 {0.03, {134, 98, 76}}}};

// Optical density in red, green, blue for one unit. Melanin browns: blue goes first.
constexpr std::array<double, 3> kMelanin = {1.0, 2.1, 2.9}, kBlood = {0.22, 1.0, 0.85};

// What even the darkest pigment sends back, as a share of the tone: it keeps dark browns from
// becoming pure red.
constexpr double kFloor = 0.1;

const std::array<double, 3> kVeil = {104, 112, 136};

void add_freckles(const Canvas& canvas, SplitMix64& random, cv::Mat& melanin) {
  const int count = random.chance(0.35) ? 2 + static_cast<int>(random.below(12)) : 0;
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform(-1.6, 1.6), y = random.uniform(-1.2, 1.2);
    const double radius = random.uniform(0.012, 0.04), depth = random.uniform(0.04, 0.13);
    const double reach = 3 * radius * canvas.unit;
    const int left = std::max(0, static_cast<int>(canvas.column(x) - reach));
    const int right = std::min(canvas.width - 1, static_cast<int>(canvas.column(x) + reach));
    const int top = std::max(0, static_cast<int>(canvas.row(y) - reach));
    const int bottom = std::min(canvas.height - 1, static_cast<int>(canvas.row(y) + reach));
    for (int row = top; row <= bottom; ++row)
      for (int column = left; column <= right; ++column) {
        const double dx = (canvas.x(column) - x) / radius, dy = (canvas.y(row) - y) / radius;
        melanin.at<float>(row, column) += static_cast<float>(depth * std::exp(-dx * dx - dy * dy));
      }
  }
}

}  // namespace

Tone draw_tone(std::uint64_t seed) {
  SplitMix64 random = random_of(seed, Part::tone);
  double left = random.uniform();
  const WeightedTone* chosen = &kTones.front();
  for (const WeightedTone& candidate : kTones) {
    chosen = &candidate;
    if ((left -= candidate.weight) < 0) break;
  }
  Tone tone = chosen->tone;
  const double light = random.uniform(0.84, 1.06);
  for (double& channel : tone) channel *= light * random.uniform(0.97, 1.03);
  return tone;
}

Pigments paint_skin(const Canvas& canvas, std::uint64_t seed) {
  SplitMix64 random = random_of(seed, Part::skin);
  const double mottling = random.uniform(0.3, 1.0), texture = random.uniform(0.3, 1.0);
  Pigments pigments;
  pigments.melanin = 0.022 * mottling * fractal_noise(canvas, 1.4, 4, 0.6, random.next());
  pigments.melanin += 0.009 * texture * fractal_noise(canvas, 22, 3, 0.8, random.next());
  pigments.blood = 0.040 * mottling * fractal_noise(canvas, 1.1, 5, 0.65, random.next());
  // The skin's own relief: lighter lozenges between fine furrows.
  const double fineness = random.uniform(14, 26);
  const cv::Mat furrows = cells(canvas, fineness, random.next()).to_border;
  pigments.melanin -= 0.03 * texture * cv::min(furrows, 0.4);
  if (random.chance(0.3)) {
    const double vessels = random.uniform(0.02, 0.07), frequency = random.uniform(2, 4);
    const cv::Mat where = cv::max(smooth_noise(canvas, 1.5, random.next()), 0);
    pigments.blood += vessels * line_noise(canvas, frequency, 0.22, random.next()).mul(where);
  }
  add_freckles(canvas, random, pigments.melanin);
  return pigments;
}

cv::Mat develop(const Tone& tone, const Pigments& pigments, const cv::Mat& veil) {
  std::vector<cv::Mat> channels(3);
  for (std::size_t c = 0; c < 3; ++c) {
    cv::Mat light;
    cv::exp(-kMelanin[c] * pigments.melanin - kBlood[c] * pigments.blood, light);
    cv::Mat value = tone[c] * (kFloor + (1 - kFloor) * light);
    if (!veil.empty()) value += veil.mul(kVeil[c] * tone[c] / 200 - value);
    value.convertTo(channels[c], CV_8U);
  }
  cv::Mat picture;
  cv::merge(channels, picture);
  return picture;
}

}  // namespace unetseg::trainer
