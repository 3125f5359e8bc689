// SPDX-License-Identifier: MIT
#include "model/frame/cuda/kernel_check.h"

#include <cmath>
#include <cstdlib>
#include <vector>

#include "model/error.h"
#include "model/frame/cuda/gpu_painter.h"
#include "model/frame/cuda/gpu_sampler.h"
#include "model/frame/painter.h"

namespace unetseg {
namespace {

// NV12 of an odd size, across a few blocks and tiles.
constexpr int kWidth = 141, kHeight = 77, kStride = 142, kRows = kHeight + (kHeight + 1) / 2;
constexpr int kInput = 24;
constexpr std::size_t kBytes = std::size_t{kStride} * kRows;

UnetsegFrame frame_at(void* memory, void* stream) {
  auto* bytes = static_cast<std::uint8_t*>(memory);
  UnetsegFrame frame = {};
  frame.format = UNETSEG_FORMAT_NV12;
  frame.width = kWidth;
  frame.height = kHeight;
  frame.plane[0] = bytes;
  frame.plane[1] = bytes + std::ptrdiff_t{kStride} * kHeight;
  frame.stride[0] = frame.stride[1] = kStride;
  frame.kr = .2126;
  frame.kb = .0722;
  frame.cuda_stream = stream;
  return frame;
}

[[noreturn]] void differs(const std::string& what, double by) {
  throw Error(Fault::failed,
              "unetseg's kernels do not compute on this GPU what they should: let frames come in "
              "system memory (cudadownload), and please report this",
              what + " differ by " + std::to_string(by));
}

void check_sampling(Gpu& gpu, const UnetsegFrame& here, const UnetsegFrame& there) {
  constexpr double kTolerance = 1e-5;
  std::vector<float> expected(3 * kInput * kInput);
  Sampler(kInput, kInput).sample(here, expected.data(), UNETSEG_FIT_LETTERBOX);
  GpuPicture picture(gpu);
  GpuSampler(gpu, kInput, kInput).sample(there, UNETSEG_FIT_LETTERBOX, picture);
  const float* found = picture.planar();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = std::fabs(found[i] - expected[i]);
    if (!(difference < kTolerance)) differs("samples", difference);
  }
}

void check_drawing(Gpu& gpu, const UnetsegFrame& here, Staging& there) {
  constexpr int kRounding = 1;
  const float map[] = {.1f, .2f, .3f, .2f, .9f, .7f, .1f, .6f, .3f};
  const ProbabilityView view = {map, 3, 3};
  const UnetsegStyle style = {UNETSEG_DRAW_OVERLAY, 0xff20c040, .4, 0xffffffff, 3};
  Painter().draw(view, .5, here, style);
  void* const stream = gpu.own_stream();
  GpuPainter(gpu).draw(view, .5, frame_at(there.device(), stream), style);
  there.download(kBytes, stream);
  there.in_use(stream);
  there.wait();
  const auto* found = reinterpret_cast<const std::uint8_t*>(there.host());
  for (std::size_t i = 0; i < kBytes; ++i) {
    const int difference = std::abs(here.plane[0][i] - found[i]);
    if (difference > kRounding) differs("drawn bytes", difference);
  }
}

}  // namespace

void check_kernels(Gpu& gpu) {
  std::vector<std::uint8_t> bytes(kBytes);
  std::uint32_t noise = 7;
  for (std::uint8_t& byte : bytes) {
    noise = noise * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(noise >> 24);
  }
  Staging there(gpu);
  there.reserve(kBytes);
  std::memcpy(there.host(), bytes.data(), kBytes);
  there.upload(kBytes, gpu.own_stream());
  const UnetsegFrame here = frame_at(bytes.data(), nullptr);
  check_sampling(gpu, here, frame_at(there.device(), gpu.own_stream()));
  check_drawing(gpu, here, there);
}

}  // namespace unetseg
