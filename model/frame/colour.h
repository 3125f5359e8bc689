// SPDX-License-Identifier: MIT
// Affine colour conversions between a frame's components and RGB. RGB is 0..255; components are in
// 8-bit codes, of which deeper formats have fractions: the 10-bit code 1023 is 255.75.
#pragma once

#include "model/frame/formats.h"

namespace unetseg {

// out[i] = offset[i] + sum over j of factor[i][j] * in[j]
struct ColourMatrix {
  float factor[3][3];
  float offset[3];
};

// From the components in `layout`'s order to R, G, B, not clamped. Grey expects its value three
// times. Takes the frame's matrix and range. Throws Error(frame_format) where kr and kb describe no
// matrix of a YUV frame (each positive, their sum below 1).
ColourMatrix to_rgb(const UnetsegFrame& frame);

// The opposite way: from R, G, B to the frame's components. Grey takes the value three times.
ColourMatrix from_rgb(const UnetsegFrame& frame);

}  // namespace unetseg
