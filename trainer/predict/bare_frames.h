// SPDX-License-Identifier: MIT
// Frames without a lesion, as a camera gives them most of the time: what is found on them is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "trainer/predict/scene.h"

namespace unetseg::trainer {

// A window of the scene, of its proportions and 25 to 90 % as wide, with no lesion within a tenth
// of the window's size around it, and nearly nothing black in it. None where no such window was
// met in 60 random ones. A function of its arguments alone.
std::optional<Image> bare_skin(const Scene& scene, std::uint64_t seed);

// 20 pictures each, 320 x 240, always the same ones.
std::vector<Image> even_frames();   // of one colour each: skin's or any
std::vector<Image> black_frames();  // a covered sensor: black, with noise of up to 4 levels
std::vector<Image> noise_frames();  // random colours in grains of 1 to 32 pixels

}  // namespace unetseg::trainer
