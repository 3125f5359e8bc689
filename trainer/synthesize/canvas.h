// SPDX-License-Identifier: MIT
// The plane on which a scene is painted, and smooth random fields over it.
//
// Lengths are in scene units: half the frame's shorter side is 1, and the frame's centre is (0, 0).
// Everything random is a function of the seed and of the place in these units, so a scene is the
// same at every size and in every crop.
#pragma once

#include <opencv2/core.hpp>

#include <cstdint>

#include "trainer/splitmix.h"

namespace unetseg::trainer {

struct Canvas {
  int width = 0, height = 0;  // pixels
  double unit = 1;            // pixels in a scene unit

  cv::Size size() const { return {width, height}; }
  // The scene's coordinates of a pixel's centre, and back.
  double x(double column) const { return (column - 0.5 * (width - 1)) / unit; }
  double y(double row) const { return (row - 0.5 * (height - 1)) / unit; }
  double column(double x) const { return x * unit + 0.5 * (width - 1); }
  double row(double y) const { return y * unit + 0.5 * (height - 1); }
};

// The random numbers of one part of a scene: parts do not disturb each other when one of them draws
// more than before.
enum class Part : std::uint64_t { tone = 1, skin, outline, pigment, hair, optics, motion, grain };
SplitMix64 random_of(std::uint64_t seed, Part part);

// Smooth noise, CV_32FC1: mean 0, variance 1, `frequency` cells in a scene unit. Cells smaller than
// two pixels give zeros: what a camera of this resolution would see of them.
cv::Mat smooth_noise(const Canvas& canvas, double frequency, std::uint64_t seed);

// Octaves of it, each of twice the frequency and `gain` times the amplitude; variance 1.
cv::Mat fractal_noise(const Canvas& canvas, double frequency, int octaves, double gain,
                      std::uint64_t seed);

// Thin meandering lines where noise crosses zero: 1 on them, 0 away from them. `width` is in the
// noise's own scale.
cv::Mat line_noise(const Canvas& canvas, double frequency, double width, std::uint64_t seed);

// A plane of irregular cells, `frequency` of them in a scene unit, CV_32FC1 both and in units of a
// cell: how far the nearest cell's centre is (0 .. about 1), and how much farther the second
// nearest (0 on the border between two cells).
struct Cells {
  cv::Mat to_centre, to_border;
};
Cells cells(const Canvas& canvas, double frequency, std::uint64_t seed);

}  // namespace unetseg::trainer
