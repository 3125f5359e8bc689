// SPDX-License-Identifier: MIT
// How long one core takes to sample a frame to the network's input and to draw an overlay on it,
// for each format at 1080p and 4K. Run: meson test -C build --benchmark --verbose frame
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "model/frame/formats.h"
#include "model/frame/painter.h"
#include "model/frame/sampler.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using benchmarks::measure;
using benchmarks::Times;

namespace {

constexpr int kInput = 128;  // pixels of the network's input, each way
constexpr int kRounds = 21;
constexpr int kBuffers = 4;  // as a camera's pool: a frame is not in the cache when it comes round

double megabytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

// Bytes copied (read once, written once) per ms, in GB/s.
double copy_speed() {
  const std::size_t bytes = std::size_t{64} << 20;
  std::vector<std::uint8_t> from(bytes, 1), to(bytes, 2);
  volatile std::uint8_t seen = 0;
  const Times times = measure(kRounds, [&](int) {
    std::memcpy(to.data(), from.data(), bytes);
    seen = to[bytes / 2];
  });
  return megabytes(bytes) / times.median;
}

struct Frame {
  UnetsegFrame view{};
  std::vector<std::uint8_t> memory;
};

Frame make_frame(UnetsegFormat format, int width, int height) {
  const PixelLayout& layout = pixel_layout(format);
  Frame frame;
  frame.view.format = format;
  frame.view.width = width;
  frame.view.height = height;
  frame.view.kr = .2126;
  frame.view.kb = .0722;
  std::size_t offset[4] = {}, total = 0;
  for (int plane = 0; plane < layout.planes; ++plane) {
    const std::size_t bytes = row_bytes(layout, plane, width);
    frame.view.stride[plane] = static_cast<int>(bytes);
    offset[plane] = total;
    total += bytes * static_cast<std::size_t>(subsampled(height, row_shift(layout, plane)));
  }
  frame.memory.assign(total, 128);
  for (int plane = 0; plane < layout.planes; ++plane)
    frame.view.plane[plane] = frame.memory.data() + offset[plane];
  return frame;
}

// A lesion as they are met: a fifth of the picture, with a wavy outline.
std::vector<float> lesion() {
  std::vector<float> probabilities;
  for (int y = 0; y < kInput; ++y)
    for (int x = 0; x < kInput; ++x) {
      const double dx = x - 60, dy = (y - 66) * 1.2;
      const double radius = 34 + 3 * std::sin(5 * std::atan2(dy, dx));
      probabilities.push_back(
          static_cast<float>(1 / (1 + std::exp((std::hypot(dx, dy) - radius) / 2))));
    }
  return probabilities;
}

void print(const char* what, const Times& times, std::size_t bytes) {
  std::printf("  %s %7.3f ms [%7.3f .. %7.3f] %5.1f GB/s", what, times.median, times.p5, times.p95,
              megabytes(bytes) / times.median);
}

struct Result {
  Times sampling, drawing;
  bool right;  // what was timed also did its work
};

Result benchmark(const char* name, UnetsegFormat format, int width, int height) {
  std::vector<Frame> frames;
  for (int i = 0; i < kBuffers; ++i) frames.push_back(make_frame(format, width, height));
  const std::size_t bytes = frames[0].memory.size();

  Sampler sampler(kInput, kInput);
  std::vector<float> input(3 * kInput * kInput);
  const Times sampling = measure(kRounds, [&](int round) {
    sampler.sample(frames[static_cast<std::size_t>(round % kBuffers)].view, input.data());
  });
  const auto range = std::minmax_element(input.begin(), input.end());
  const bool even = *range.first > .4f && *range.second < .6f;  // the frames are grey

  const std::vector<float> probabilities = lesion();
  const UnetsegStyle style = {UNETSEG_DRAW_OVERLAY, 0xff20c040, .35, 0xffffffff, 3};
  Painter painter;
  const Times drawing = measure(kRounds, [&](int round) {
    painter.draw({probabilities.data(), kInput, kInput}, .5,
                 frames[static_cast<std::size_t>(round % kBuffers)].view, style);
  });
  const std::vector<std::uint8_t>& drawn = frames[0].memory;
  const bool marked = std::any_of(drawn.begin(), drawn.end(), [](int b) { return b != 128; });

  std::printf("%-9s %4d x %4d", name, width, height);
  print("sample", sampling, bytes);
  print("overlay", drawing, bytes);
  std::printf("%s\n", even && marked ? "" : "  WRONG RESULT");
  std::fflush(stdout);
  return {sampling, drawing, even && marked};
}

}  // namespace

int main() {
  std::printf("%s\none core; to %d x %d; median [90%% of %d rounds]; GB/s of frame data\n",
              benchmarks::machine().c_str(), kInput, kInput, kRounds);
  std::printf("memcpy: %.1f GB/s copied\n", copy_speed());
  const struct {
    const char* name;
    UnetsegFormat format;
  } formats[] = {{"RGB", UNETSEG_FORMAT_RGB},     {"BGR", UNETSEG_FORMAT_BGR},
                 {"RGBx", UNETSEG_FORMAT_RGBX},   {"BGRx", UNETSEG_FORMAT_BGRX},
                 {"xRGB", UNETSEG_FORMAT_XRGB},   {"xBGR", UNETSEG_FORMAT_XBGR},
                 {"RGBA", UNETSEG_FORMAT_RGBA},   {"BGRA", UNETSEG_FORMAT_BGRA},
                 {"ARGB", UNETSEG_FORMAT_ARGB},   {"ABGR", UNETSEG_FORMAT_ABGR},
                 {"GRAY8", UNETSEG_FORMAT_GRAY8}, {"I420", UNETSEG_FORMAT_I420},
                 {"NV12", UNETSEG_FORMAT_NV12},   {"YV12", UNETSEG_FORMAT_YV12},
                 {"Y42B", UNETSEG_FORMAT_Y42B},   {"Y444", UNETSEG_FORMAT_Y444},
                 {"NV21", UNETSEG_FORMAT_NV21},   {"YUY2", UNETSEG_FORMAT_YUY2},
                 {"UYVY", UNETSEG_FORMAT_UYVY},   {"P010_10LE", UNETSEG_FORMAT_P010_10LE}};
  bool right = true;
  for (const auto& f : formats) {
    const Result hd = benchmark(f.name, f.format, 1920, 1080);
    const Result uhd = benchmark(f.name, f.format, 3840, 2160);
    right = right && hd.right && uhd.right;
    if (f.format == UNETSEG_FORMAT_NV12)
      std::printf("a frame of 1080p NV12: sampling %.3f ms (least %.3f), overlay %.3f ms (%.3f)\n",
                  hd.sampling.median, hd.sampling.least, hd.drawing.median, hd.drawing.least);
  }
  return right ? 0 : 1;
}
