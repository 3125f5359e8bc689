// SPDX-License-Identifier: MIT
#include "trainer/synthesize/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace unetseg::trainer {
namespace {

// Uniform in [-1, 1), a function of the lattice point alone.
float lattice_value(std::int64_t column, std::int64_t row, std::uint64_t seed) {
  SplitMix64 mixed(seed ^ (static_cast<std::uint64_t>(column) * 0xd6e8feb86659fd93u) ^
                   (static_cast<std::uint64_t>(row) * 0xa0761d6478bd642fu));
  return static_cast<float>(mixed.uniform(-1, 1));
}

// One coordinate's place on the lattice: the first of four points and the weights of a cubic
// B-spline, which unlike interpolation never overshoots and has no kinks at the points.
struct Place {
  std::int64_t first;
  std::array<float, 4> weight;
};

Place place_of(double coordinate) {
  const double whole = std::floor(coordinate);
  const float t = static_cast<float>(coordinate - whole), s = 1 - t;
  return {
      static_cast<std::int64_t>(whole) - 1,
      {s * s * s / 6, (3 * t * t * (t - 2) + 4) / 6, (3 * s * s * (s - 2) + 4) / 6, t * t * t / 6}};
}

// The spline keeps 151/315 of the variance in each direction; the lattice's own is 1/3.
constexpr double kToUnitVariance = 1.7320508075688772 * 315.0 / 151.0;

}  // namespace

SplitMix64 random_of(std::uint64_t seed, Part part) {
  return SplitMix64(SplitMix64(seed).next() ^ SplitMix64(static_cast<std::uint64_t>(part)).next());
}

cv::Mat smooth_noise(const Canvas& canvas, double frequency, std::uint64_t seed) {
  if (frequency > canvas.unit / 2) return cv::Mat::zeros(canvas.size(), CV_32FC1);
  std::vector<Place> columns;
  for (int x = 0; x < canvas.width; ++x) columns.push_back(place_of(canvas.x(x) * frequency));
  const std::int64_t left = columns.front().first;
  const int lattice_width = static_cast<int>(columns.back().first - left) + 4;
  const std::int64_t top = place_of(canvas.y(0) * frequency).first;
  const int lattice_height =
      static_cast<int>(place_of(canvas.y(canvas.height - 1) * frequency).first - top) + 4;

  // Rows of the lattice first, then between them: eight multiplications a pixel, not sixteen.
  cv::Mat wide(lattice_height, canvas.width, CV_32FC1);
  std::vector<float> points(static_cast<std::size_t>(lattice_width));
  for (int row = 0; row < lattice_height; ++row) {
    for (int i = 0; i < lattice_width; ++i)
      points[static_cast<std::size_t>(i)] = lattice_value(left + i, top + row, seed);
    float* out = wide.ptr<float>(row);
    for (int x = 0; x < canvas.width; ++x) {
      const Place& place = columns[static_cast<std::size_t>(x)];
      const float* point = points.data() + (place.first - left);
      out[x] = place.weight[0] * point[0] + place.weight[1] * point[1] +
               place.weight[2] * point[2] + place.weight[3] * point[3];
    }
  }
  cv::Mat noise(canvas.size(), CV_32FC1);
  constexpr float kScale = static_cast<float>(kToUnitVariance);
  for (int y = 0; y < canvas.height; ++y) {
    const Place place = place_of(canvas.y(y) * frequency);
    const int row = static_cast<int>(place.first - top);
    const float *a = wide.ptr<float>(row), *b = wide.ptr<float>(row + 1),
                *c = wide.ptr<float>(row + 2), *d = wide.ptr<float>(row + 3);
    const float wa = kScale * place.weight[0], wb = kScale * place.weight[1],
                wc = kScale * place.weight[2], wd = kScale * place.weight[3];
    float* out = noise.ptr<float>(y);
    for (int x = 0; x < canvas.width; ++x) out[x] = wa * a[x] + wb * b[x] + wc * c[x] + wd * d[x];
  }
  return noise;
}

cv::Mat fractal_noise(const Canvas& canvas, double frequency, int octaves, double gain,
                      std::uint64_t seed) {
  cv::Mat sum = cv::Mat::zeros(canvas.size(), CV_32FC1);
  double amplitude = 1, variance = 0;
  SplitMix64 seeds(seed);
  for (int i = 0; i < octaves; ++i) {
    sum += amplitude * smooth_noise(canvas, frequency, seeds.next());
    variance += amplitude * amplitude;
    amplitude *= gain;
    frequency *= 2;
  }
  return sum / std::sqrt(variance);
}

cv::Mat line_noise(const Canvas& canvas, double frequency, double width, std::uint64_t seed) {
  cv::Mat lines = smooth_noise(canvas, frequency, seed) / width;
  // 1 / (1 + x^4) is flat on the line and needs no exponential.
  lines.forEach<float>([](float& value, const int*) {
    const float square = value * value;
    value = 1 / (1 + square * square);
  });
  return lines;
}

Cells cells(const Canvas& canvas, double frequency, std::uint64_t seed) {
  Cells result{cv::Mat(canvas.size(), CV_32FC1), cv::Mat(canvas.size(), CV_32FC1)};
  // The centres of the cells around one lattice square, kept while the pixels stay in it.
  std::array<cv::Point2f, 9> centres;
  const auto gather = [&](std::int64_t column, std::int64_t row) {
    std::size_t i = 0;
    for (std::int64_t y = row - 1; y <= row + 1; ++y)
      for (std::int64_t x = column - 1; x <= column + 1; ++x)
        centres[i++] = {static_cast<float>(x - column) + 0.5f + 0.42f * lattice_value(x, y, seed),
                        static_cast<float>(y - row) + 0.5f + 0.42f * lattice_value(x, y, ~seed)};
  };
  for (int y = 0; y < canvas.height; ++y) {
    const double v = canvas.y(y) * frequency, row = std::floor(v);
    double gathered = std::floor(canvas.x(0) * frequency) - 1;
    for (int x = 0; x < canvas.width; ++x) {
      const double u = canvas.x(x) * frequency, column = std::floor(u);
      if (column != gathered) {
        gather(static_cast<std::int64_t>(column), static_cast<std::int64_t>(row));
        gathered = column;
      }
      const float px = static_cast<float>(u - column), py = static_cast<float>(v - row);
      float first = 16, second = 16;
      for (const cv::Point2f& centre : centres) {
        const float dx = centre.x - px, dy = centre.y - py, square = dx * dx + dy * dy;
        second = std::min(second, std::max(first, square));
        first = std::min(first, square);
      }
      result.to_centre.at<float>(y, x) = std::sqrt(first);
      result.to_border.at<float>(y, x) = std::sqrt(second) - std::sqrt(first);
    }
  }
  return result;
}

}  // namespace unetseg::trainer
