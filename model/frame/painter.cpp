// SPDX-License-Identifier: MIT
#include "model/frame/painter.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string>

#include "model/error.h"
#include "model/frame/contour.h"
#include "model/frame/formats.h"
#include "model/frame/ink.h"
#include "model/frame/plane_painter.h"

namespace unetseg {
namespace {

Run hull(Run a, Run b) {
  if (a.first >= a.last) return b;
  if (b.first >= b.last) return a;
  return {std::min(a.first, b.first), std::max(a.last, b.last)};
}

bool same_geometry(const UnetsegFrame& a, const UnetsegFrame& b) {
  return a.format == b.format && a.width == b.width && a.height == b.height;
}

}  // namespace

struct Painter::Canvas {
  UnetsegFrame geometry{};           // what `planes` are for; without size at first
  std::vector<PlanePainter> planes;  // two of them on the one plane of packed 4:2:2
  Upsampler upsampler;
  Contour contour;

  void overlay(const ProbabilityView& probabilities, double threshold, const UnetsegFrame& frame,
               const UnetsegStyle& style);
  void probability(const UnetsegFrame& frame);
  void alpha(const UnetsegFrame& frame);
};

void Painter::Canvas::overlay(const ProbabilityView& probabilities, double threshold,
                              const UnetsegFrame& frame, const UnetsegStyle& style) {
  if (!same_geometry(geometry, frame)) {
    geometry = {};
    planes.clear();
    const PixelLayout& layout = pixel_layout(frame.format);
    for (int i = 0; i < layout.components; ++i)
      if (i == 0 || !share_samples(layout.component[i - 1], layout.component[i]))
        planes.emplace_back(frame, i);
    geometry = frame;
  }
  const Ink fill_ink = ink_for(frame, style.color, style.opacity);
  const Ink contour_ink = ink_for(frame, style.contour_color, 1);
  Run fill_rows{0, 0}, contour_rows{0, 0};
  if (fill_ink.alpha > 0) upsampler.rows_reaching(threshold, &fill_rows.first, &fill_rows.last);
  if (contour_ink.alpha > 0 && style.contour_width > 0) {
    contour.trace(probabilities, threshold, frame.width, frame.height, style.contour_width);
    contour_rows = contour.rows();
  }
  Run rows = hull(fill_rows, contour_rows);
  if (rows.first >= rows.last) return;

  for (PlanePainter& plane : planes) plane.set_inks(fill_ink, contour_ink);
  // Samples that two rows share are finished with the second.
  rows.last = std::min(frame.height, rows.last + rows.last % 2);
  const auto has = [](Run run, int y) { return run.first <= y && y < run.last; };
  for (int y = rows.first; y < rows.last; ++y) {
    if (has(fill_rows, y)) {
      const std::vector<Run>& runs = upsampler.runs_reaching(y, threshold);
      for (PlanePainter& plane : planes) plane.fill(frame, runs, y);
    }
    if (has(contour_rows, y)) {
      const std::uint8_t* coverage = contour.row(y);
      for (PlanePainter& plane : planes) plane.contour(frame, coverage, contour.runs(), y);
    }
    for (PlanePainter& plane : planes) plane.finish_row(frame, y);
  }
}

void Painter::Canvas::probability(const UnetsegFrame& frame) {
  const std::size_t width = static_cast<std::size_t>(frame.width);
  for (int y = 0; y < frame.height; ++y) {
    const float* row = upsampler.row(y);
    std::uint8_t* out = frame_row(frame, 0, y);
    for (std::size_t x = 0; x < width; ++x) out[x] = static_cast<std::uint8_t>(255 * row[x] + 0.5f);
  }
}

void Painter::Canvas::alpha(const UnetsegFrame& frame) {
  const int offset = pixel_layout(frame.format).alpha;
  const std::size_t width = static_cast<std::size_t>(frame.width);
  for (int y = 0; y < frame.height; ++y) {
    const float* row = upsampler.row(y);
    std::uint8_t* out = frame_row(frame, 0, y) + offset;
    for (std::size_t x = 0; x < width; ++x)
      out[4 * x] = static_cast<std::uint8_t>(255 * row[x] + 0.5f);
  }
}

Painter::Painter() : canvas_(std::make_unique<Canvas>()) {}

Painter::~Painter() = default;

void Painter::draw(const ProbabilityView& probabilities, double threshold,
                   const UnetsegFrame& frame, const UnetsegStyle& style) {
  check_drawing(frame, style.mode);
  try {
    canvas_->upsampler.configure(probabilities, frame.width, frame.height);
    if (style.mode == UNETSEG_DRAW_OVERLAY)
      canvas_->overlay(probabilities, threshold, frame, style);
    else if (style.mode == UNETSEG_DRAW_MASK)
      mask_from_probabilities(canvas_->upsampler, threshold, frame.plane[0], frame.stride[0]);
    else if (style.mode == UNETSEG_DRAW_PROBABILITY)
      canvas_->probability(frame);
    else
      canvas_->alpha(frame);
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space, "There is not enough memory to draw on a frame of " +
                                     std::to_string(frame.width) + " x " +
                                     std::to_string(frame.height) + " pixels.");
  }
}

}  // namespace unetseg
