// SPDX-License-Identifier: MIT
#include "trainer/train/jpeg.h"

#include <array>
#include <cmath>

#include "trainer/train/gpu/transfer.h"

namespace unetseg::trainer {
namespace {

constexpr std::int64_t kBlock = 8;
using Table = std::array<int, kBlock * kBlock>;

constexpr Table kLuminance = {16,  11,  10,  16,  24, 40, 51,  61,  12,  12,  14,  19,  26,
                              58,  60,  55,  14,  13, 16, 24,  40,  57,  69,  56,  14,  17,
                              22,  29,  51,  87,  80, 62, 18,  22,  37,  56,  68,  109, 103,
                              77,  24,  35,  55,  64, 81, 104, 113, 92,  49,  64,  78,  87,
                              103, 121, 120, 101, 72, 92, 95,  98,  112, 100, 103, 99};
constexpr Table kChrominance = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};

// Rows: basis functions of the orthonormal DCT-II.
at::Tensor transform() {
  at::Tensor matrix = at::empty({kBlock, kBlock});
  float* value = matrix.data_ptr<float>();
  for (std::int64_t k = 0; k < kBlock; ++k)
    for (std::int64_t n = 0; n < kBlock; ++n)
      *value++ = static_cast<float>(
          std::sqrt((k == 0 ? 1.0 : 2.0) / kBlock) *
          std::cos(3.14159265358979323846 * static_cast<double>((2 * n + 1) * k) / (2 * kBlock)));
  return matrix;
}

// Step sizes of the three components, N x 3 x 1 x 1 x 8 x 8, for samples of 0..255.
at::Tensor steps(const std::vector<double>& qualities, const at::Device& device) {
  const at::Tensor sizes = gpu::staging(
      {static_cast<std::int64_t>(qualities.size()), 3, 1, 1, kBlock, kBlock}, at::kFloat, device);
  float* value = sizes.data_ptr<float>();
  for (const double quality : qualities) {
    const double scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
    for (const Table* table : {&kLuminance, &kChrominance, &kChrominance})
      for (const int size : *table)
        *value++ = static_cast<float>(std::max(1.0, std::floor((size * scale + 50) / 100)));
  }
  return gpu::sent(sizes, device);
}

at::Tensor three_by_three(std::initializer_list<double> values) {
  return at::tensor(values, at::kFloat).view({3, 3});
}

}  // namespace

// JFIF's luma and chroma, all about 0.
JpegCompression::JpegCompression(const at::Device& device)
    : to_ycc_(three_by_three(
                  {0.299, 0.587, 0.114, -0.168736, -0.331264, 0.5, 0.5, -0.418688, -0.081312})
                  .to(device)),
      to_rgb_(three_by_three({1, 0, 1.402, 1, -0.344136, -0.714136, 1, 1.772, 0}).to(device)),
      dct_(transform().to(device)),
      level_(at::tensor({128.0f, 0.0f, 0.0f}).view({1, 3, 1, 1, 1, 1}).to(device)) {}

at::Tensor JpegCompression::compressed(const at::Tensor& images,
                                       const std::vector<double>& qualities) const {
  const std::int64_t n = images.size(0), h = images.size(2), w = images.size(3);
  const at::Tensor step = steps(qualities, images.device());
  const at::Tensor ycc = at::matmul(to_ycc_, images.flatten(2) * 255);
  const at::Tensor blocks =
      ycc.view({n, 3, h / kBlock, kBlock, w / kBlock, kBlock}).permute({0, 1, 2, 4, 3, 5});
  const at::Tensor spectrum = at::matmul(at::matmul(dct_, blocks - level_), dct_.t());
  const at::Tensor kept = at::round(spectrum / step) * step;
  const at::Tensor back = at::matmul(at::matmul(dct_.t(), kept), dct_) + level_;
  const at::Tensor planes = back.permute({0, 1, 2, 4, 3, 5}).reshape({n, 3, h * w});
  return (at::matmul(to_rgb_, planes) / 255).view_as(images);
}

at::Tensor jpeg_compressed(const at::Tensor& images, double quality) {
  return JpegCompression(images.device())
      .compressed(images, std::vector<double>(static_cast<std::size_t>(images.size(0)), quality));
}

}  // namespace unetseg::trainer
