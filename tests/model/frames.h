// SPDX-License-Identifier: MIT
// Frames for tests: every format, padded or negative strides, unaligned planes, canaries all round.
// Where a format keeps its bytes is written down here once more, on purpose: tests that asked the
// library would agree with its mistakes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "model/backend/backend.h"

struct FormatCase {
  UnetsegFormat format;
  const char* name;
  int step;       // bytes a pixel in plane 0
  int rgb[3];     // offsets; unused for YUV and grey
  int untouched;  // offset of alpha or padding, -1 where there is none
};

inline const FormatCase kPackedFormats[] = {
    {UNETSEG_FORMAT_RGB, "RGB", 3, {0, 1, 2}, -1},  {UNETSEG_FORMAT_BGR, "BGR", 3, {2, 1, 0}, -1},
    {UNETSEG_FORMAT_RGBX, "RGBx", 4, {0, 1, 2}, 3}, {UNETSEG_FORMAT_BGRX, "BGRx", 4, {2, 1, 0}, 3},
    {UNETSEG_FORMAT_XRGB, "xRGB", 4, {1, 2, 3}, 0}, {UNETSEG_FORMAT_XBGR, "xBGR", 4, {3, 2, 1}, 0},
    {UNETSEG_FORMAT_RGBA, "RGBA", 4, {0, 1, 2}, 3}, {UNETSEG_FORMAT_BGRA, "BGRA", 4, {2, 1, 0}, 3},
    {UNETSEG_FORMAT_ARGB, "ARGB", 4, {1, 2, 3}, 0}, {UNETSEG_FORMAT_ABGR, "ABGR", 4, {3, 2, 1}, 0},
};
inline const FormatCase kGrey = {UNETSEG_FORMAT_GRAY8, "GRAY8", 1, {0, 0, 0}, -1};
inline const FormatCase kI420 = {UNETSEG_FORMAT_I420, "I420", 1, {0, 0, 0}, -1};
inline const FormatCase kNv12 = {UNETSEG_FORMAT_NV12, "NV12", 1, {0, 0, 0}, -1};

inline std::vector<FormatCase> all_formats() {
  std::vector<FormatCase> all(std::begin(kPackedFormats), std::end(kPackedFormats));
  all.insert(all.end(), {kGrey, kI420, kNv12});
  return all;
}

// How a frame lies in memory.
struct Placement {
  int padding = 0;         // bytes after each row
  bool bottom_up = false;  // negative strides
  int shift = 0;           // bytes that each plane is off its natural alignment
};

inline const Placement kPlacements[] = {{0, false, 0}, {13, false, 1}, {0, true, 3}, {64, true, 5}};

// A frame that owns its memory. All that is not a pixel is 0xA5.
class TestFrame {
 public:
  TestFrame(const FormatCase& format, int width, int height, const Placement& placement = {})
      : format_(format) {
    view_.format = format.format;
    view_.width = width;
    view_.height = height;
    view_.kr = .299;
    view_.kb = .114;
    const int half_width = (width + 1) / 2, half_height = (height + 1) / 2;
    add_plane(0, width * format.step, height, placement);
    if (format.format == UNETSEG_FORMAT_NV12) add_plane(1, 2 * half_width, half_height, placement);
    if (format.format == UNETSEG_FORMAT_I420)
      for (int plane : {1, 2}) add_plane(plane, half_width, half_height, placement);
  }

  UnetsegFrame& view() { return view_; }
  const UnetsegFrame& view() const { return view_; }
  const FormatCase& format() const { return format_; }
  bool is_yuv() const { return planes_.size() > 1; }

  // Byte `x` of a plane's row.
  std::uint8_t& byte(int plane, int x, int y) {
    return view_.plane[plane][static_cast<std::ptrdiff_t>(y) * view_.stride[plane] + x];
  }
  // Component 0..2 (R, G, B, or Y, U, V, or grey) where the plane has its sample (x, y).
  std::uint8_t& sample(int component, int x, int y) {
    if (view_.format == UNETSEG_FORMAT_I420) return byte(component, x, y);
    if (view_.format == UNETSEG_FORMAT_NV12)
      return component == 0 ? byte(0, x, y) : byte(1, 2 * x + component - 1, y);
    return byte(0, x * format_.step + format_.rgb[component], y);
  }
  int sample_columns(int component) const {
    return is_yuv() && component > 0 ? (view_.width + 1) / 2 : view_.width;
  }
  int sample_rows(int component) const {
    return is_yuv() && component > 0 ? (view_.height + 1) / 2 : view_.height;
  }
  int components() const { return format_.format == UNETSEG_FORMAT_GRAY8 ? 1 : 3; }

  // Calls set(plane, x, y) for each byte of each pixel and stores what it returns.
  template <typename Set>
  void set_bytes(Set set) {
    for (std::size_t p = 0; p < planes_.size(); ++p)
      for (int y = 0; y < planes_[p].rows; ++y)
        for (int x = 0; x < planes_[p].row_bytes; ++x)
          byte(static_cast<int>(p), x, y) =
              static_cast<std::uint8_t>(set(static_cast<int>(p), x, y));
  }
  void set_all(int component, int value) {
    for (int y = 0; y < sample_rows(component); ++y)
      for (int x = 0; x < sample_columns(component); ++x)
        sample(component, x, y) = static_cast<std::uint8_t>(value);
  }
  // The same noise in every run.
  void set_noise(std::uint32_t seed) {
    set_bytes([&seed](int, int, int) {
      seed = seed * 1664525u + 1013904223u;
      return seed >> 24;
    });
  }

  // Every byte of the memory, pixels and all else.
  std::vector<std::vector<std::uint8_t>> memory() const {
    std::vector<std::vector<std::uint8_t>> all;
    for (const Plane& plane : planes_) all.push_back(plane.memory);
    return all;
  }
  bool canaries_intact() const {
    for (const Plane& plane : planes_)
      for (std::size_t i = 0; i < plane.memory.size(); ++i)
        if (!plane.is_pixel[i] && plane.memory[i] != kCanary) return false;
    return true;
  }

  TestFrame(const TestFrame& other)
      : view_(other.view_), format_(other.format_), planes_(other.planes_) {
    for (std::size_t p = 0; p < planes_.size(); ++p)
      view_.plane[p] = planes_[p].memory.data() + planes_[p].origin;
  }
  TestFrame& operator=(const TestFrame&) = delete;

 private:
  static constexpr std::uint8_t kCanary = 0xA5;

  struct Plane {
    int row_bytes, rows;
    std::ptrdiff_t origin;  // of pixel (0, 0)
    std::vector<std::uint8_t> memory;
    std::vector<bool> is_pixel;
  };

  // A plain placement has not one byte too many, so that sanitizers see reads past the end.
  void add_plane(int index, int row_bytes, int rows, const Placement& placement) {
    const bool plain = placement.padding == 0 && placement.shift == 0;
    const std::ptrdiff_t guard = plain ? 0 : 64 + placement.shift;
    const std::ptrdiff_t stride = row_bytes + placement.padding;
    Plane plane{row_bytes, rows, guard, {}, {}};
    plane.memory.assign(static_cast<std::size_t>(2 * guard + stride * rows), kCanary);
    plane.is_pixel.assign(plane.memory.size(), false);
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < row_bytes; ++x)
        plane.is_pixel[static_cast<std::size_t>(guard + y * stride + x)] = true;
    if (placement.bottom_up) plane.origin += stride * (rows - 1);
    planes_.push_back(std::move(plane));
    view_.plane[index] = planes_.back().memory.data() + planes_.back().origin;
    view_.stride[index] = static_cast<int>(placement.bottom_up ? -stride : stride);
  }

  UnetsegFrame view_{};
  FormatCase format_;
  std::vector<Plane> planes_;
};
