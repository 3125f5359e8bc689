// SPDX-License-Identifier: MIT
// What cameras do to a scene that no picture of the data set shows.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/predict/scene.h"

namespace unetseg::trainer {

struct Condition {
  std::string name;
  // A function of its arguments alone. The truth is what of the lesion is still to be seen.
  std::function<Scene(const Scene&, std::uint64_t seed)> apply;
};

// Lengths are shares of the scene's longer side:
//   blur: Gaussian of deviation 1.2 %; noise: Gaussian of deviation 0.12 on each value, at the
//   scene's size; dark, bright: times 0.4 and 1.5; low contrast: 0.4 times the distance from the
//   mean; vignette: black outside of a circle of radius 45 %; jpeg: quality 30; grey: the luma;
//   1:1, 16:9, 9:16: a camera of these proportions that sees as large an area around the scene's
//   centre, black and without lesion where the scene has nothing.
// A build without image files throws Error(settings).
std::vector<Condition> camera_conditions();

}  // namespace unetseg::trainer
