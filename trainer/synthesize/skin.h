// SPDX-License-Identifier: MIT
// Skin as a dermatoscope shows it: a tone, and the pigments that vary on it.
#pragma once

#include <array>

#include "trainer/synthesize/canvas.h"

namespace unetseg::trainer {

// What absorbs light, CV_32FC1 over a canvas, as optical density in the red channel (melanin) and
// in the green one (blood). 0 is the tone's own amount.
struct Pigments {
  cv::Mat melanin, blood;
};

// Red, green, blue of the skin under even light, 0..255, white balance of the camera included.
using Tone = std::array<double, 3>;
Tone draw_tone(std::uint64_t seed);

// Mottling, fine texture, small vessels and freckles.
Pigments paint_skin(const Canvas& canvas, std::uint64_t seed);

// What the camera sees, CV_8UC3, RGB. `veil`, 0..1, is the share of light that deep pigment
// scatters back bluish; empty for none.
cv::Mat develop(const Tone& tone, const Pigments& pigments, const cv::Mat& veil);

}  // namespace unetseg::trainer
