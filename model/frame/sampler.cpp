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
#include "model/frame/row_filter.h"

namespace unetseg {
namespace {

constexpr int kNoComponent = 3;

// The components of a plane that share their samples.
struct ColumnPass {
  ColumnFilter filter;
  int component[4];  // of each of a sample's values; kNoComponent for alpha and the like
};

// What one plane contributes: its values are filtered down the rows together, whatever components
// they belong to; each component then along the row.
struct PlanePass {
  int plane;
  std::ptrdiff_t skipped;  // bytes at the start of a row, which nothing comes from
  std::size_t row_values;
  Axis rows;
  std::vector<ColumnPass> columns;
};

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
  RowFilter filter_rows;
  float code_scale;                    // to 8-bit codes
  std::vector<float> filtered;         // one row of a plane's values
  std::vector<float> components, rgb;  // three output rows each, and one of kNoComponent
};

Sampler::Tables::Tables(const UnetsegFrame& frame, const Framing& wanted)
    : geometry(frame),
      framing(wanted),
      width(static_cast<std::size_t>(wanted.width)),
      layout(pixel_layout(frame.format)),
      filter_rows(row_filter(layout.depth)),
      code_scale(1 / static_cast<float>(1 << (layout.depth - 8))),
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
                      row_bytes(layout, plane, used_width) / static_cast<std::size_t>(value_bytes),
                      make_axis(framing.down, frame.height, framing.height,
                                row_shift(layout, plane), frame.chroma_cosited_y),
                      {}});
    longest = std::max(longest, passes.back().row_values);
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
  filtered.resize(longest + overread);
}

// Leaves output row `y` in `rgb`.
void Sampler::Tables::colour_row(const UnetsegFrame& frame, const ColourMatrix& matrix, int y) {
  for (const PlanePass& pass : passes) {
    const Span& span = pass.rows.spans[static_cast<std::size_t>(y)];
    filter_rows(frame_row(frame, pass.plane, span.first), frame.stride[pass.plane], span,
                filtered.data(), pass.row_values);
    for (const ColumnPass& columns : pass.columns) {
      float* to[4];
      for (int i = 0; i < 4; ++i)
        to[i] = components.data() + static_cast<std::size_t>(columns.component[i]) * width;
      columns.filter.run(filtered.data(), pass.rows.scale * code_scale, to);
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
