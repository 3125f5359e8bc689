// SPDX-License-Identifier: MIT
// A GPU's sampling and drawing against the Sampler and the Painter: every format, odd sizes,
// padded, unaligned and bottom-up planes. On a GPU that the processor plays, and on a real one.
#pragma once

#include <memory>
#include <vector>

#include "model/frame/cuda/gpu_painter.h"
#include "model/frame/cuda/gpu_sampler.h"
#include "model/frame/painter.h"

#include "tests/check.h"
#include "tests/model/drawing.h"
#include "tests/model/frames.h"

namespace gpu_pixels {

using namespace unetseg;

inline const Normalisation kNormalisation = {{.485f, .456f, .406f}, {.229f, .224f, .225f}};

constexpr int kSizes[][2] = {{1, 1},    {1, 7},     {7, 1},    {2, 9},   {9, 2},
                             {5, 3},    {33, 17},   {64, 9},   {64, 48}, {129, 3},
                             {130, 67}, {385, 289}, {2311, 3}, {3, 2311}};

// A copy of a frame, canaries and all.
class FrameOnGpu {
 public:
  FrameOnGpu(Gpu& gpu, const TestFrame& frame) : view_(frame.view()) {
    view_.memory = UNETSEG_MEMORY_CUDA;
    for (const std::vector<std::uint8_t>& bytes : frame.memory()) {
      const int plane = static_cast<int>(planes_.size());
      planes_.push_back(std::make_unique<Staging>(gpu));
      planes_.back()->reserve(bytes.size());
      std::memcpy(planes_.back()->host(), bytes.data(), bytes.size());
      planes_.back()->upload(bytes.size(), nullptr);
      planes_.back()->in_use(nullptr);
      view_.plane[plane] =
          reinterpret_cast<guint8*>(planes_.back()->device()) + frame.origin(plane);
      sizes_.push_back(bytes.size());
    }
  }

  const UnetsegFrame& view() const { return view_; }
  // As TestFrame::memory(), after all that was put into the default stream.
  std::vector<std::vector<std::uint8_t>> memory() {
    std::vector<std::vector<std::uint8_t>> all;
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      planes_[p]->download(sizes_[p], nullptr);
      planes_[p]->in_use(nullptr);
      planes_[p]->wait();
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(planes_[p]->host());
      all.emplace_back(bytes, bytes + sizes_[p]);
    }
    return all;
  }

 private:
  UnetsegFrame view_;
  std::vector<std::unique_ptr<Staging>> planes_;
  std::vector<std::size_t> sizes_;
};

// The largest difference of any value from the Sampler's.
inline double sampling_error(Gpu& gpu, const TestFrame& frame, int width, int height,
                             UnetsegFit fit) {
  std::vector<float> expected(static_cast<std::size_t>(3 * width * height));
  const Framing framing =
      Sampler(width, height, kNormalisation).sample(frame.view(), expected.data(), fit);
  const FrameOnGpu there(gpu, frame);
  GpuPicture picture(gpu);
  ck_assert(GpuSampler(gpu, width, height, kNormalisation).sample(there.view(), fit, picture) ==
            framing);
  const float* found = picture.planar();
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ck_assert(std::isfinite(found[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(found[i]) - expected[i]));
  }
  return largest;
}

inline void assert_drawn_alike(Gpu& gpu, GpuPainter& painter, const ProbabilityView& map,
                               const TestFrame& frame, const UnetsegStyle& style,
                               double threshold = .5) {
  TestFrame expected = frame;
  Painter().draw(map, threshold, expected.view(), style);
  FrameOnGpu found(gpu, frame);
  painter.draw(map, threshold, found.view(), style);
  ck_assert_msg(found.memory() == expected.memory(), "%s %dx%d", frame.format().name,
                frame.view().width, frame.view().height);
}

// 1e-5 of a normalised value; returns what was reached.
inline double check_samples(Gpu& gpu) {
  std::uint32_t seed = 1;
  double largest = 0;
  const auto check = [&](const TestFrame& frame, int width, int height, UnetsegFit fit) {
    const double off = sampling_error(gpu, frame, width, height, fit);
    ck_assert_msg(off < 1e-5, "%s %dx%d: off by %g", frame.format().name, frame.view().width,
                  frame.view().height, off);
    largest = std::max(largest, off);
  };
  for (const FormatCase& format : all_formats()) {
    for (const auto& size : kSizes)
      for (const UnetsegFit fit : {UNETSEG_FIT_STRETCH, UNETSEG_FIT_LETTERBOX, UNETSEG_FIT_CROP}) {
        TestFrame frame(format, size[0], size[1], kPlacements[seed % 4]);
        frame.set_noise(seed++);
        frame.view().chroma_cosited_x = seed % 2;
        frame.view().chroma_cosited_y = seed / 2 % 2;
        frame.view().full_range = seed / 4 % 2;
        check(frame, seed % 3 == 0 ? 16 : 37, 16, fit);
      }
    // One pixel of the input takes many chunks of these, or a block has a few pixels.
    for (const int input : {1, 3, 64}) {
      TestFrame frame(format, 4099, 5, kPlacements[1]);
      frame.set_noise(seed++);
      check(frame, input, 2, UNETSEG_FIT_STRETCH);
    }
  }
  return largest;
}

// Byte for byte, canaries included.
inline void check_overlays(Gpu& gpu) {
  const UnetsegStyle styles[] = {overlay(0x80ff0000, 1), overlay(0xff30d060, .4, 0xffffffff, 3),
                                 overlay(0, 0, 0xc80000ff, 1),
                                 overlay(0xffffffff, .7, 0x80102030, 9), overlay(0, 0)};
  std::uint32_t seed = 3;
  GpuPainter painter(gpu);
  for (const FormatCase& format : all_formats())
    for (const auto& size : kSizes)
      for (const UnetsegStyle& style : styles) {
        TestFrame frame(format, size[0], size[1], kPlacements[seed % 4]);
        frame.set_noise(seed++);
        frame.view().full_range = seed % 2;
        const Map map = seed % 3 == 0 ? disc(32, 15, 17, 9) : noise(9, 7, seed);
        assert_drawn_alike(gpu, painter, map.view(), frame, style);
      }
}

// Chords of a smooth line cross many tiles, and a map's part ends within the frame.
inline void check_overlays_of_parts(Gpu& gpu) {
  const Map map = disc(24, 11, 13, 12);
  const FramePart parts[] = {{{0, 1}, {0, 1}}, {{.25, .75}, {0, 1}}, {{0, 1}, {.1, .9}}};
  GpuPainter painter(gpu);
  for (const FormatCase& format : {kPackedFormats[0], kNv12, kP010, kYuy2, kGrey})
    for (const FramePart& part : parts)
      for (const double threshold : {.1, .5, .9}) {
        TestFrame frame(format, 381, 277, kPlacements[3]);
        frame.set_noise(5);
        assert_drawn_alike(gpu, painter, {map.values.data(), map.width, map.height, part}, frame,
                           overlay(0xff30d060, .4, 0xffffffff, 5), threshold);
      }
}

inline void check_values(Gpu& gpu) {
  std::vector<FormatCase> formats = alpha_formats();
  formats.push_back(kGrey);
  const Map map = noise(9, 7, 21);
  GpuPainter painter(gpu);
  for (const FormatCase& format : formats)
    for (const auto& size : kSizes)
      for (const UnetsegDrawMode m :
           {UNETSEG_DRAW_MASK, UNETSEG_DRAW_PROBABILITY, UNETSEG_DRAW_ALPHA}) {
        if ((m == UNETSEG_DRAW_ALPHA) != (format.untouched >= 0)) continue;
        TestFrame frame(format, size[0], size[1], kPlacements[1]);
        frame.set_noise(8);
        assert_drawn_alike(gpu, painter, {map.values.data(), 9, 7, {{.2, .8}, {0, 1}}}, frame,
                           mode(m));
      }
}

}  // namespace gpu_pixels
