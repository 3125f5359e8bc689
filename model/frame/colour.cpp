// SPDX-License-Identifier: MIT
#include "model/frame/colour.h"

#include "model/error.h"

namespace unetseg {
namespace {

// 8-bit code values of a YUV signal: code = black + luma * Y', code = 128 + chroma * Pb or Pr,
// with Y' in 0..1 and Pb, Pr in -0.5..0.5.
struct Quantisation {
  double black, luma, chroma;
};

Quantisation quantisation(const UnetsegFrame& frame) {
  if (!frame.full_range) return {16, 219, 224};
  const int depth = pixel_layout(frame.format).depth;
  const double highest = static_cast<double>((1 << depth) - 1) / (1 << (depth - 8));
  return {0, highest, highest};
}

void check_matrix(const UnetsegFrame& frame) {
  if (!(frame.kr > 0 && frame.kb > 0 && frame.kr + frame.kb < 1))
    throw Error(Fault::frame_format, "The frame's YUV matrix cannot be used.",
                "kr " + std::to_string(frame.kr) + ", kb " + std::to_string(frame.kb));
}

constexpr ColourMatrix kIdentity = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 0, 0}};

}  // namespace

ColourMatrix to_rgb(const UnetsegFrame& frame) {
  if (pixel_layout(frame.format).model != ColourModel::yuv) return kIdentity;
  check_matrix(frame);
  const Quantisation q = quantisation(frame);
  const double kr = frame.kr, kb = frame.kb, kg = 1 - kr - kb;
  const double y = 255 / q.luma, c = 255 / q.chroma;
  const double red_v = 2 * (1 - kr) * c, blue_u = 2 * (1 - kb) * c;
  const double green_u = -blue_u * kb / kg, green_v = -red_v * kr / kg;
  const double factor[3][3] = {{y, 0, red_v}, {y, green_u, green_v}, {y, blue_u, 0}};

  ColourMatrix matrix;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) matrix.factor[i][j] = static_cast<float>(factor[i][j]);
    matrix.offset[i] =
        static_cast<float>(-factor[i][0] * q.black - (factor[i][1] + factor[i][2]) * 128);
  }
  return matrix;
}

ColourMatrix from_rgb(const UnetsegFrame& frame) {
  if (pixel_layout(frame.format).model != ColourModel::yuv) return kIdentity;
  check_matrix(frame);
  const Quantisation q = quantisation(frame);
  const double luma[3] = {frame.kr, 1 - frame.kr - frame.kb, frame.kb};

  ColourMatrix matrix;
  for (int j = 0; j < 3; ++j) {
    const double pb = ((j == 2) - luma[j]) / (2 * (1 - frame.kb));
    const double pr = ((j == 0) - luma[j]) / (2 * (1 - frame.kr));
    matrix.factor[0][j] = static_cast<float>(luma[j] * q.luma / 255);
    matrix.factor[1][j] = static_cast<float>(pb * q.chroma / 255);
    matrix.factor[2][j] = static_cast<float>(pr * q.chroma / 255);
  }
  matrix.offset[0] = static_cast<float>(q.black);
  matrix.offset[1] = matrix.offset[2] = 128;
  return matrix;
}

}  // namespace unetseg
