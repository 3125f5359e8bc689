// SPDX-License-Identifier: MIT
#include "model/frame/sampler.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "model/error.h"
#include "model/frame/axis.h"
#include "model/frame/colour.h"
#include "model/frame/column_filter.h"
#include "model/frame/formats.h"

namespace unetseg {
namespace {

// A 16-bit sum holds this many bytes whatever their values.
constexpr int kRowsPerSum = 256;

// sum[i] = the sum of byte i of `rows` rows, at most kRowsPerSum. Four rows at a time, since the
// loop is bound by the traffic of `sum`.
void sum_rows(const std::uint8_t* row, std::ptrdiff_t stride, int rows,
              std::uint16_t* __restrict sum, std::size_t bytes) {
  std::fill_n(sum, bytes, std::uint16_t{0});
  for (; rows >= 4; rows -= 4, row += 4 * stride) {
    const std::uint8_t *a = row, *b = a + stride, *c = b + stride, *d = c + stride;
    for (std::size_t i = 0; i < bytes; ++i)
      sum[i] = static_cast<std::uint16_t>(sum[i] + a[i] + b[i] + c[i] + d[i]);
  }
  for (; rows > 0; --rows, row += stride)
    for (std::size_t i = 0; i < bytes; ++i) sum[i] = static_cast<std::uint16_t>(sum[i] + row[i]);
}

// out[i] = head * first[i] + sum[i] + tail * last[i]
void weigh_rows(const std::uint8_t* first, float head, const std::uint16_t* sum,
                const std::uint8_t* last, float tail, float* __restrict out, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    out[i] = head * static_cast<float>(first[i]) + static_cast<float>(sum[i]) +
             tail * static_cast<float>(last[i]);
}

void add_sums(const std::uint16_t* sum, float* __restrict out, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out[i] += static_cast<float>(sum[i]);
}

constexpr int kNoComponent = 3;

// The components of a plane that share their samples.
struct ColumnPass {
  ColumnFilter filter;
  int component[4];  // of each of a sample's values; kNoComponent for alpha and the like
};

// What one plane contributes: its bytes are filtered down the rows together, whatever components
// they belong to, since a value of two bytes is a sum of them; each component then along the row.
struct PlanePass {
  int plane;
  std::ptrdiff_t skipped;  // bytes at the start of a row, which nothing comes from
  std::size_t row_bytes;
  Axis rows;
  std::vector<ColumnPass> columns;
};

void filter_rows(const UnetsegFrame& frame, const PlanePass& pass, int y, std::uint16_t* sum,
                 float* out) {
  const Span& span = pass.rows.spans[static_cast<std::size_t>(y)];
  const std::ptrdiff_t stride = frame.stride[pass.plane];
  const std::uint8_t* first = frame_row(frame, pass.plane, span.first);
  const std::uint8_t* last = first + (span.count - 1) * stride;
  const int inner = std::max(span.count - 2, 0);
  int rows = std::min(inner, kRowsPerSum);
  sum_rows(first + stride, stride, rows, sum, pass.row_bytes);
  weigh_rows(first, span.head, sum, last, span.tail, out, pass.row_bytes);
  for (int done = rows; done < inner; done += rows) {
    rows = std::min(inner - done, kRowsPerSum);
    sum_rows(first + (1 + done) * stride, stride, rows, sum, pass.row_bytes);
    add_sums(sum, out, pass.row_bytes);
  }
}

// Values of two bytes, the low one first, in units of the high one.
void join_bytes(const float* bytes, float* __restrict out, std::size_t values) {
  for (std::size_t i = 0; i < values; ++i) out[i] = bytes[2 * i + 1] + bytes[2 * i] * (1 / 256.f);
}

// Colours of one output row, 0..255, clamped.
void convert_row(const ColourMatrix& matrix, const float* const in[3], float* const out[3],
                 std::size_t width) {
  for (int i = 0; i < 3; ++i) {
    const float a = matrix.factor[i][0], b = matrix.factor[i][1], c = matrix.factor[i][2];
    const float offset = matrix.offset[i];
    const float *u = in[0], *v = in[1], *w = in[2];
    float* __restrict to = out[i];
    for (std::size_t x = 0; x < width; ++x)
      to[x] = std::min(std::max(a * u[x] + b * v[x] + c * w[x] + offset, 0.f), 255.f);
  }
}

// Columns of the frame that a part of it comes from: the filters reach less than this beyond it.
// Whole pairs of pixels, which formats may keep together.
Run columns_of(const Interval& across, int width) {
  constexpr std::int64_t kReach = 4;
  const std::int64_t first = across.first / kSubpixels - kReach;
  const std::int64_t last = (across.first + across.length) / kSubpixels + 1 + kReach;
  return {static_cast<int>(std::max<std::int64_t>(first - first % 2, 0)),
          static_cast<int>(std::min<std::int64_t>(last + last % 2, width))};
}

bool same_geometry(const UnetsegFrame& a, const UnetsegFrame& b) {
  return a.format == b.format && a.width == b.width && a.height == b.height &&
         !a.chroma_cosited_x == !b.chroma_cosited_x && !a.chroma_cosited_y == !b.chroma_cosited_y;
}

}  // namespace

// What depends on the source geometry and its framing alone, and one output row's scratch. Rows
// are those that show the frame.
struct Sampler::Tables {
  Tables(const UnetsegFrame& frame, const Framing& wanted);
  void colour_row(const UnetsegFrame& frame, const ColourMatrix& matrix, int y);
  const float* rgb_row(std::size_t component) const { return rgb.data() + component * width; }

  UnetsegFrame geometry;
  Framing framing;
  std::size_t width;
  const PixelLayout& layout;
  std::vector<PlanePass> passes;
  std::vector<std::uint16_t> sum;
  std::vector<float> filtered;         // one row of a plane's bytes
  std::vector<float> joined;           // its values, where they have two bytes
  std::vector<float> components, rgb;  // three output rows each, and one of kNoComponent
};

Sampler::Tables::Tables(const UnetsegFrame& frame, const Framing& wanted)
    : geometry(frame),
      framing(wanted),
      width(static_cast<std::size_t>(wanted.width)),
      layout(pixel_layout(frame.format)),
      components(4 * width),
      rgb(3 * width) {
  const int value_bytes = layout.value_bytes();
  const Run columns = columns_of(framing.across, frame.width);
  const int used_width = columns.last - columns.first;
  const Interval across = {framing.across.first - std::int64_t{columns.first} * kSubpixels,
                           framing.across.length};
  std::size_t longest = 0, overread = 0;
  for (int plane = 0; plane < layout.planes; ++plane) {
    passes.push_back({plane,
                      static_cast<std::ptrdiff_t>(row_bytes(layout, plane, columns.first)),
                      row_bytes(layout, plane, used_width),
                      make_axis(framing.down, frame.height, framing.height,
                                row_shift(layout, plane), frame.chroma_cosited_y),
                      {}});
    longest = std::max(longest, passes.back().row_bytes);
  }
  for (int i = 0; i < layout.components; ++i) {
    const Component& c = layout.component[i];
    std::vector<ColumnPass>& filters = passes[static_cast<std::size_t>(c.plane)].columns;
    if (i == 0 || !share_samples(layout.component[i - 1], c)) {
      const Axis axis =
          make_axis(across, used_width, framing.width, c.shift_x, frame.chroma_cosited_x);
      filters.push_back({ColumnFilter(axis, c.step / value_bytes),
                         {kNoComponent, kNoComponent, kNoComponent, kNoComponent}});
      overread = std::max(overread, filters.back().filter.overread());
    }
    filters.back().component[c.offset / value_bytes] = i;
  }
  sum.resize(longest);
  filtered.resize(longest + overread);
  if (value_bytes == 2) joined.resize(longest / 2 + overread);
}

// Leaves output row `y` in `rgb`.
void Sampler::Tables::colour_row(const UnetsegFrame& frame, const ColourMatrix& matrix, int y) {
  const int value_bytes = layout.value_bytes();
  for (const PlanePass& pass : passes) {
    filter_rows(frame, pass, y, sum.data(), filtered.data());
    if (value_bytes == 2) join_bytes(filtered.data(), joined.data(), pass.row_bytes / 2);
    const float* row = value_bytes == 2 ? joined.data() : filtered.data();
    for (const ColumnPass& columns : pass.columns) {
      float* to[4];
      for (int i = 0; i < 4; ++i)
        to[i] = components.data() + static_cast<std::size_t>(columns.component[i]) * width;
      columns.filter.run(row, pass.rows.scale, to);
    }
  }
  const float* in[3];
  float* out[3];
  for (std::size_t i = 0; i < 3; ++i) {
    in[i] = components.data() + (layout.components == 3 ? i * width : 0);
    out[i] = rgb.data() + i * width;
  }
  convert_row(matrix, in, out, width);
}

Sampler::Sampler(int width, int height, const Normalisation& normalisation)
    : width_(width), height_(height), normalisation_(normalisation) {}

Sampler::~Sampler() = default;

// Makes the tables. Returns the frame with its rows beginning where the tables expect it.
UnetsegFrame Sampler::prepare(const UnetsegFrame& frame, UnetsegFit fit) {
  check_frame(frame);
  const Framing framing = framing_of(frame, fit, width_, height_);
  if (!tables_ || !same_geometry(tables_->geometry, frame) || !(tables_->framing == framing)) {
    try {
      tables_ = std::make_unique<Tables>(frame, framing);
    } catch (const std::bad_alloc&) {
      throw Error(Fault::no_space, "There is not enough memory to scale a frame of " +
                                       std::to_string(frame.width) + " x " +
                                       std::to_string(frame.height) + " pixels.");
    }
  }
  UnetsegFrame used = frame;
  for (const PlanePass& pass : tables_->passes) used.plane[pass.plane] += pass.skipped;
  return used;
}

Framing Sampler::sample(const UnetsegFrame& frame, float* planar_rgb, UnetsegFit fit) {
  const UnetsegFrame used = prepare(frame, fit);
  const ColourMatrix matrix = to_rgb(frame);
  const Framing& framing = tables_->framing;
  const std::size_t width = tables_->width;
  const std::size_t area = static_cast<std::size_t>(width_) * static_cast<std::size_t>(height_);
  if (framing.width < width_ || framing.height < height_)
    for (std::size_t i = 0; i < 3; ++i)
      std::fill_n(planar_rgb + i * area, area, -normalisation_.mean[i] / normalisation_.stddev[i]);
  float* origin = planar_rgb + static_cast<std::ptrdiff_t>(framing.y) * width_ + framing.x;
  for (int y = 0; y < framing.height; ++y) {
    tables_->colour_row(used, matrix, y);
    for (std::size_t i = 0; i < 3; ++i) {
      const float* colour = tables_->rgb_row(i);
      const float scale = 1 / (255 * normalisation_.stddev[i]);
      const float shift = -normalisation_.mean[i] / normalisation_.stddev[i];
      float* out = origin + i * area + static_cast<std::ptrdiff_t>(y) * width_;
      for (std::size_t x = 0; x < width; ++x) out[x] = colour[x] * scale + shift;
    }
  }
  return framing;
}

void Sampler::sample_rgb8(const UnetsegFrame& frame, std::uint8_t* rgb) {
  const UnetsegFrame used = prepare(frame, UNETSEG_FIT_STRETCH);
  const ColourMatrix matrix = to_rgb(frame);
  const std::size_t width = tables_->width;
  for (int y = 0; y < height_; ++y) {
    tables_->colour_row(used, matrix, y);
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t i = 0; i < 3; ++i)
        *rgb++ = static_cast<std::uint8_t>(tables_->rgb_row(i)[x] + 0.5f);
  }
}

}  // namespace unetseg
