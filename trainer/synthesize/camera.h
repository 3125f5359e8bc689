// SPDX-License-Identifier: MIT
// The camera: how the hand holds it, and what its optics and sensor make of a view.
#pragma once

#include "trainer/synthesize/canvas.h"

namespace unetseg::trainer {

// Where the camera looks, relative to the scene's centre.
struct Pose {
  double x = 0, y = 0;  // scene units
  double turn = 0;      // radians
  double zoom = 1;      // above 1: closer
  double defocus = 0;   // standard deviation of the blur, scene units
};

// How far a pose of `pose_at` goes at most.
constexpr double kLargestShift = 0.16, kLargestTurn = 0.07, kSmallestZoom = 0.95;

// A hand at rest that is not quite at rest: drift, tremor, breathing, and a focus that hunts.
Pose pose_at(std::uint64_t seed, double seconds);

// Light, rim, gel and sensor, all fixed to the camera. Immutable once built.
class Optics {
 public:
  // `frame` is the frame's own canvas; nothing within `clear_radius` scene units of its centre is
  // hidden behind the rim.
  Optics(const Canvas& frame, double clear_radius, std::uint64_t seed);

  // Makes a CV_8UC3 view into what the sensor gives for frame `number`.
  void apply(double defocus, int number, cv::Mat* view) const;

 private:
  void choose_light(double clear_radius, SplitMix64& random);
  void add_bubbles(SplitMix64& random);
  void make_grain(SplitMix64& random);

  Canvas frame_;
  std::uint64_t seed_;
  double blur_;    // scene units
  cv::Mat gain_;   // CV_32FC1
  cv::Mat glare_;  // CV_32FC1, added, 0..255
  cv::Mat grain_;  // CV_32FC3: a tile of sensor noise larger than the frame
};

}  // namespace unetseg::trainer
