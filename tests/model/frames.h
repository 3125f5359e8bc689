// SPDX-License-Identifier: MIT
// Frames for tests: every format, padded or negative strides, unaligned planes, canaries all round.
// Where a format keeps its bytes is written down here once more, on purpose: tests that asked the
// library would agree with its mistakes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "model/backend/backend.h"

// Bytes of a plane's row: the first sample's, and from a sample to the next.
struct ComponentPlace {
  int plane, offset, step;
};

struct FormatCase {
  UnetsegFormat format;
  const char* name;
  int planes;
  std::vector<ComponentPlace> place;  // R, G, B, or Y, U, V, or grey
  int untouched = -1;                 // offset of alpha or padding, -1 where there is none
  int chroma_x = 1, chroma_y = 1;     // luma pixels of a chroma sample, each way
  int bits = 8;                       // of a code; 10 are the high ones of two bytes

  bool is_yuv() const { return place.size() == 3 && format > UNETSEG_FORMAT_GRAY8; }
  // Codes of a depth of 8 bits times this are this format's.
  int code_scale() const { return 1 << (bits - 8); }
  // The code that is nearest to one of 8 bits. Full range ends at 255 and at 1023.
  int code_for(int component, int code, bool full_range) const {
    if (bits == 8 || !full_range) return code * code_scale();
    const int zero = component > 0 ? 128 : 0;
    return static_cast<int>(std::lround(zero * 4 + (code - zero) * 1023 / 255.));
  }
};

inline FormatCase packed_case(UnetsegFormat format, const char* name, int step, int red, int green,
                              int blue, int untouched) {
  return {format, name, 1, {{0, red, step}, {0, green, step}, {0, blue, step}}, untouched};
}
inline FormatCase yuv_case(UnetsegFormat format, const char* name, int planes,
                           const std::vector<ComponentPlace>& place, int chroma_x, int chroma_y,
                           int bits = 8) {
  return {format, name, planes, place, -1, chroma_x, chroma_y, bits};
}

inline const FormatCase kPackedFormats[] = {
    packed_case(UNETSEG_FORMAT_RGB, "RGB", 3, 0, 1, 2, -1),
    packed_case(UNETSEG_FORMAT_BGR, "BGR", 3, 2, 1, 0, -1),
    packed_case(UNETSEG_FORMAT_RGBX, "RGBx", 4, 0, 1, 2, 3),
    packed_case(UNETSEG_FORMAT_BGRX, "BGRx", 4, 2, 1, 0, 3),
    packed_case(UNETSEG_FORMAT_XRGB, "xRGB", 4, 1, 2, 3, 0),
    packed_case(UNETSEG_FORMAT_XBGR, "xBGR", 4, 3, 2, 1, 0),
    packed_case(UNETSEG_FORMAT_RGBA, "RGBA", 4, 0, 1, 2, 3),
    packed_case(UNETSEG_FORMAT_BGRA, "BGRA", 4, 2, 1, 0, 3),
    packed_case(UNETSEG_FORMAT_ARGB, "ARGB", 4, 1, 2, 3, 0),
    packed_case(UNETSEG_FORMAT_ABGR, "ABGR", 4, 3, 2, 1, 0),
};
// Those whose `untouched` is alpha.
inline std::vector<FormatCase> alpha_formats() {
  return {std::end(kPackedFormats) - 4, std::end(kPackedFormats)};
}
inline const FormatCase kYuvFormats[] = {
    yuv_case(UNETSEG_FORMAT_I420, "I420", 3, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}, 2, 2),
    yuv_case(UNETSEG_FORMAT_NV12, "NV12", 2, {{0, 0, 1}, {1, 0, 2}, {1, 1, 2}}, 2, 2),
    yuv_case(UNETSEG_FORMAT_YV12, "YV12", 3, {{0, 0, 1}, {2, 0, 1}, {1, 0, 1}}, 2, 2),
    yuv_case(UNETSEG_FORMAT_Y42B, "Y42B", 3, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}, 2, 1),
    yuv_case(UNETSEG_FORMAT_Y444, "Y444", 3, {{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}, 1, 1),
    yuv_case(UNETSEG_FORMAT_NV21, "NV21", 2, {{0, 0, 1}, {1, 1, 2}, {1, 0, 2}}, 2, 2),
    yuv_case(UNETSEG_FORMAT_YUY2, "YUY2", 1, {{0, 0, 2}, {0, 1, 4}, {0, 3, 4}}, 2, 1),
    yuv_case(UNETSEG_FORMAT_UYVY, "UYVY", 1, {{0, 1, 2}, {0, 0, 4}, {0, 2, 4}}, 2, 1),
    yuv_case(UNETSEG_FORMAT_P010_10LE, "P010_10LE", 2, {{0, 0, 2}, {1, 0, 4}, {1, 2, 4}}, 2, 2, 10),
};
inline const FormatCase kGrey = {UNETSEG_FORMAT_GRAY8, "GRAY8", 1, {{0, 0, 1}}};
inline const FormatCase& kI420 = kYuvFormats[0];
inline const FormatCase& kNv12 = kYuvFormats[1];
inline const FormatCase& kYuy2 = kYuvFormats[6];
inline const FormatCase& kUyvy = kYuvFormats[7];
inline const FormatCase& kP010 = kYuvFormats[8];

inline std::vector<FormatCase> all_formats() {
  std::vector<FormatCase> all(std::begin(kPackedFormats), std::end(kPackedFormats));
  all.push_back(kGrey);
  all.insert(all.end(), std::begin(kYuvFormats), std::end(kYuvFormats));
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
    for (int plane = 0; plane < format.planes; ++plane) {
      int row_bytes = 0, rows = 0;
      for (std::size_t c = 0; c < format.place.size(); ++c) {
        if (format.place[c].plane != plane) continue;
        row_bytes = std::max(row_bytes, sample_columns(static_cast<int>(c)) * format.place[c].step);
        rows = sample_rows(static_cast<int>(c));
      }
      add_plane(plane, row_bytes, rows, placement);
    }
  }

  UnetsegFrame& view() { return view_; }
  const UnetsegFrame& view() const { return view_; }
  const FormatCase& format() const { return format_; }
  bool is_yuv() const { return format_.is_yuv(); }
  int row_bytes(int plane) const { return planes_[static_cast<std::size_t>(plane)].row_bytes; }
  int rows(int plane) const { return planes_[static_cast<std::size_t>(plane)].rows; }

  // Byte `x` of a plane's row.
  std::uint8_t& byte(int plane, int x, int y) {
    return view_.plane[plane][static_cast<std::ptrdiff_t>(y) * view_.stride[plane] + x];
  }
  // A code where it lies; reads and writes as an int.
  class Sample {
   public:
    Sample(std::uint8_t* bytes, int bits) : bytes_(bytes), bits_(bits) {}
    operator int() const { return bits_ == 8 ? bytes_[0] : (bytes_[1] << 8 | bytes_[0]) >> 6; }
    void operator=(int code) const {
      const int word = bits_ == 8 ? code : code << 6;
      bytes_[0] = static_cast<std::uint8_t>(word);
      if (bits_ != 8) bytes_[1] = static_cast<std::uint8_t>(word >> 8);
    }

   private:
    std::uint8_t* bytes_;
    int bits_;
  };

  // Component 0..2 (R, G, B, or Y, U, V, or grey) where the plane has its sample (x, y).
  Sample sample(int component, int x, int y) {
    const ComponentPlace& place = format_.place[static_cast<std::size_t>(component)];
    return {&byte(place.plane, place.offset + x * place.step, y), format_.bits};
  }
  // Luma pixels of a sample, each way.
  int pixels_x(int component) const { return is_yuv() && component > 0 ? format_.chroma_x : 1; }
  int pixels_y(int component) const { return is_yuv() && component > 0 ? format_.chroma_y : 1; }
  int sample_columns(int component) const {
    return (view_.width + pixels_x(component) - 1) / pixels_x(component);
  }
  int sample_rows(int component) const {
    return (view_.height + pixels_y(component) - 1) / pixels_y(component);
  }
  int components() const { return static_cast<int>(format_.place.size()); }

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
      for (int x = 0; x < sample_columns(component); ++x) sample(component, x, y) = value;
  }
  // The same noise in every run. Bits of a byte that are of no code stay 0.
  void set_noise(std::uint32_t seed) {
    set_bytes([&seed, this](int, int x, int) {
      seed = seed * 1664525u + 1013904223u;
      return seed >> 24 & (format_.bits == 8 || x % 2 != 0 ? 0xffu : 0xc0u);
    });
  }

  // Every byte of the memory, pixels and all else.
  std::vector<std::vector<std::uint8_t>> memory() const {
    std::vector<std::vector<std::uint8_t>> all;
    for (const Plane& plane : planes_) all.push_back(plane.memory);
    return all;
  }
  // Where pixel (0, 0) is in a plane's memory.
  std::ptrdiff_t origin(int plane) const { return planes_[static_cast<std::size_t>(plane)].origin; }
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
