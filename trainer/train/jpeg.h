// SPDX-License-Identifier: MIT
// What JPEG compression does to pixels, as tensor operations.
#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace unetseg::trainer {

// `images`: N x 3 x H x W, float, RGB 0..1, H and W multiples of 8. Baseline JPEG of `quality`
// (1..100, as libjpeg scales the tables of ITU-T T.81, annex K) without subsampling of the chroma;
// the entropy coding, which loses nothing, is left out. Values may leave 0..1 slightly.
class JpegCompression {
 public:
  explicit JpegCompression(const at::Device& device);
  // One quality for each image.
  at::Tensor compressed(const at::Tensor& images, const std::vector<double>& qualities) const;

 private:
  at::Tensor to_ycc_, to_rgb_, dct_, level_;
};

at::Tensor jpeg_compressed(const at::Tensor& images, double quality);

}  // namespace unetseg::trainer
