// SPDX-License-Identifier: MIT
// How long one core takes to sample a frame to the network's input and to draw an overlay on it,
// for each format at 1080p and 4K, beside what it takes to copy the frame.
// Run: meson test -C build --benchmark --verbose frame
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "model/frame/formats.h"
#include "model/frame/painter.h"
#include "model/frame/sampler.h"
#include "model/measure/measurer.h"

#include "tests/benchmarks/measuring.h"

using namespace unetseg;
using benchmarks::measure_in_turn;
using benchmarks::Times;

namespace {

constexpr int kInput = 128;  // pixels of the network's input, each way
constexpr int kRounds = 21;
constexpr std::uint8_t kGrey = 128;
constexpr int kBuffers = 5;  // as a camera's pool: a frame is not in the cache when it comes round

double megabytes(std::size_t bytes) {
  return static_cast<double>(bytes) / 1e6;
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
  frame.memory.assign(total, kGrey);
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

constexpr UnetsegStyle kStyle = {UNETSEG_DRAW_OVERLAY, 0xff20c040, .35, 0xffffffff, 3};

constexpr CleanUp kCleanUp = {true, true, 0, .45};  // as the trained weights ask for

struct Result {
  Times copying, sampling, cleaning, drawing, measuring;
  std::size_t frame_bytes, drawn_bytes;
  bool right;  // what is timed also does its work
};

Result benchmark(UnetsegFormat format, int width, int height) {
  std::vector<Frame> frames;
  for (int i = 0; i < kBuffers; ++i) frames.push_back(make_frame(format, width, height));
  std::vector<std::vector<std::uint8_t>> copies(kBuffers, frames[0].memory);
  const std::vector<float> probabilities = lesion();
  const ProbabilityView map = {probabilities.data(), kInput, kInput};
  std::vector<float> input(3 * kInput * kInput);
  Sampler sampler(kInput, kInput);
  Painter painter;
  Measurer measurer;
  Cleaner cleaner;
  std::vector<float> cleaned;
  double share = 0;  // of the frame that the lesion covers

  sampler.sample(frames[0].view, input.data());
  const auto range = std::minmax_element(input.begin(), input.end());
  const bool even = *range.first > .4f && *range.second < .6f;  // the frames are grey
  painter.draw(map, .5, frames[0].view, kStyle);
  const auto drawn = std::count_if(frames[0].memory.begin(), frames[0].memory.end(),
                                   [](int byte) { return byte != kGrey; });

  int turns = 0;
  const auto next = [&turns] { return static_cast<std::size_t>(turns++ % kBuffers); };
  const auto times = measure_in_turn(
      kRounds,
      [&](int) {
        const std::size_t i = next();
        std::memcpy(copies[i].data(), frames[i].memory.data(), copies[i].size());
      },
      [&](int) { sampler.sample(frames[next()].view, input.data()); },
      [&](int) {
        cleaned = probabilities;
        cleaner.clean(cleaned.data(), kInput, kInput, .5, kCleanUp);
      },
      [&](int) { painter.draw(map, .5, frames[next()].view, kStyle); },
      [&](int) {
        share = measurer.measure(map, map.data, map.data, width, height, .5).area_fraction;
      });
  return {times[0],
          times[1],
          times[2],
          times[3],
          times[4],
          frames[0].memory.size(),
          static_cast<std::size_t>(drawn),
          even && drawn > 0 && share > .1};
}

void print(const char* what, const Times& times, std::size_t bytes) {
  std::printf("  %s %6.3f ms [%6.3f .. %6.3f] %4.1f GB/s", what, times.median, times.p5, times.p95,
              megabytes(bytes) / times.median);
}

void print(const char* name, int width, int height, const Result& result) {
  std::printf("%-9s %4d x %4d", name, width, height);
  print("copy", result.copying, 2 * result.frame_bytes);
  print("sample", result.sampling, result.frame_bytes + 3 * kInput * kInput * sizeof(float));
  print("overlay", result.drawing, 2 * result.drawn_bytes);
  std::printf("%s\n", result.right ? "" : "  WRONG RESULT");
  std::fflush(stdout);
}

}  // namespace

int main() {
  std::printf(
      "%s\none core; to %d x %d; median [90%% of %d rounds], in turn with a memcpy of the frame; "
      "GB/s read and written\n",
      benchmarks::machine().c_str(), kInput, kInput, kRounds);
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
  for (const auto& f : formats)
    for (const int height : {1080, 2160}) {
      const int width = height * 16 / 9;
      const Result result = benchmark(f.format, width, height);
      print(f.name, width, height, result);
      right = right && result.right;
      if (f.format != UNETSEG_FORMAT_NV12 || height != 1080) continue;
      const double sum = result.sampling.median + result.cleaning.median + result.drawing.median +
                         result.measuring.median;
      std::printf(
          "a frame of 1080p NV12: sampling %.3f ms (least %.3f), cleaning the mask %.3f (%.3f), "
          "overlay %.3f (%.3f), measuring %.3f (%.3f); %.1f %% of a core at 30 frames a second\n",
          result.sampling.median, result.sampling.least, result.cleaning.median,
          result.cleaning.least, result.drawing.median, result.drawing.least,
          result.measuring.median, result.measuring.least, sum * 30 / 10);
    }
  return right ? 0 : 1;
}
