// SPDX-License-Identifier: MIT
// Hairs over skin and lesion.
#pragma once

#include "trainer/synthesize/canvas.h"

namespace unetseg::trainer {

// Draws the hairs of `seed`, often none, on a CV_8UC3 picture of the canvas' size.
void paint_hair(const Canvas& canvas, std::uint64_t seed, cv::Mat* picture);

}  // namespace unetseg::trainer
