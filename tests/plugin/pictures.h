// SPDX-License-Identifier: MIT
// Pictures whose red is what the fake network sees, in every format and colorimetry.
#pragma once

#include "tests/plugin/placed_frame.h"

struct Colorimetry {
  const char* caps;  // range, matrix, transfer, primaries
  double kr, kb;
  double black, luma, chroma;  // of the quantisation
  int ink[3], ink_10[3];       // pure green, computed by hand; the same in 10 bits
};
inline const Colorimetry kColorimetries[] = {
    {"2:4:16:4", .299, .114, 16, 219, 224, {145, 54, 34}, {578, 215, 137}},
    {"1:4:16:4", .299, .114, 0, 255, 255, {150, 44, 21}, {601, 173, 84}},
    {"2:3:5:1", .2126, .0722, 16, 219, 224, {173, 42, 26}, {691, 167, 105}},
    {"1:3:5:1", .2126, .0722, 0, 255, 255, {182, 30, 12}, {732, 118, 47}},
    {"2:6:5:7", .2627, .0593, 16, 219, 224, {164, 47, 25}, {658, 189, 100}},
    {"1:6:5:7", .2627, .0593, 0, 255, 255, {173, 36, 11}, {694, 143, 42}},
};

// The chroma of pictures: off the neutral 128, so that the matrix matters.
constexpr int kU = 100, kV = 150;

struct Case {
  FormatCase format;
  int width, height;
  Colorimetry colour;
  std::string caps() const {
    return caps_of(format.name, width, height,
                   std::string("framerate=30/1") +
                       (format.is_yuv() ? std::string(",colorimetry=") + colour.caps : ""));
  }
};

// 0..255, not rounded.
inline double red_of(TestFrame& frame, const Colorimetry& colour, int x, int y) {
  if (!frame.is_yuv()) return frame.sample(0, x, y);
  const int scale = frame.format().code_scale();
  // Full range ends at 255, and at 1023 where there are 10 bits: 255.75.
  const double wider = scale == 4 && colour.luma == 255 ? 255.75 / 255 : 1;
  const double value =
      (static_cast<double>(frame.sample(0, x, y)) / scale - colour.black) * 255 / colour.luma +
      2 * (1 - colour.kr) * 255 / colour.chroma * (kV - 128);
  return std::min(std::max(value / wider, 0.0), 255.0);
}

// Noise without a pixel so near the threshold that rounding decides about it.
inline TestFrame picture(const Case& c, std::uint32_t seed) {
  TestFrame frame(c.format, c.width, c.height);
  frame.set_noise(seed);
  if (frame.is_yuv()) {
    frame.set_all(1, kU * c.format.code_scale());
    frame.set_all(2, kV * c.format.code_scale());
  }
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x)
      if (std::abs(red_of(frame, c.colour, x, y) - 127.5) < 1)
        frame.sample(0, x, y) = 200 * c.format.code_scale();
  return frame;
}
