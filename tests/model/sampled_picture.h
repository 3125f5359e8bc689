// SPDX-License-Identifier: MIT
// A frame as the network sees it.
#pragma once

#include <cmath>
#include <vector>

#include "model/frame/sampler.h"

#include "tests/check.h"

struct Picture {
  int width, height;
  std::vector<float> planar;
  double at(int component, int x, int y) const {
    return planar[static_cast<std::size_t>((component * height + y) * width + x)];
  }
};

inline Picture sampled(const UnetsegFrame& frame, int width, int height,
                       UnetsegFit fit = UNETSEG_FIT_STRETCH) {
  Picture picture{width, height, std::vector<float>(static_cast<std::size_t>(3 * width * height))};
  unetseg::Sampler(width, height).sample(frame, picture.planar.data(), fit);
  return picture;
}

inline void assert_pixel(const Picture& p, int x, int y, double red, double green, double blue,
                         double tolerance, const char* what) {
  const double expected[] = {red, green, blue};
  for (int c = 0; c < 3; ++c)
    ck_assert_msg(std::fabs(255 * p.at(c, x, y) - expected[c]) <= tolerance,
                  "%s: component %d at (%d, %d) is %.4f, not %.4f", what, c, x, y,
                  255 * p.at(c, x, y), expected[c]);
}
