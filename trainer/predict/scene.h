// SPDX-License-Identifier: MIT
// What a camera saw, in its own proportions.
#pragma once

#include "trainer/data/image_files.h"

namespace unetseg::trainer {

// Both of one size.
struct Scene {
  Image image;  // RGB
  Image truth;  // one channel, 0 or 255
};

// A picture and its true mask (0 or 255) as a scene whose longer side has 512 pixels at most. The
// mask has the scene's proportions: pictures that were squashed are stretched back, so that neither
// of their sides gets shorter.
Scene scene_of(const Image& picture, const Image& truth);

// Paints a transparent layer of the image's size over it: four planes from 0 to 255, of which red,
// green and blue are multiplied by the fourth, the opacity.
void lay_over(const std::uint8_t* layer, Image* image);

}  // namespace unetseg::trainer
