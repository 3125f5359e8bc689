// SPDX-License-Identifier: MIT
#include "model/frame/plane_painter.h"

#include <algorithm>

namespace unetseg {

PlanePainter::PlanePainter(const UnetsegFrame& frame, int component)
    : layout_(pixel_layout(frame.format)),
      first_(layout_.component[component]),
      width_(frame.width),
      height_(frame.height),
      samples_(subsampled(frame.width, first_.shift_x)),
      rows_(subsampled(frame.height, first_.shift_y)),
      shift_x_(first_.shift_x),
      shift_y_(first_.shift_y),
      step_(first_.step / layout_.value_bytes()),
      value_bytes_(layout_.value_bytes()),
      blends_(blends(layout_.depth)) {
  if (is_subsampled()) coverage_.resize(static_cast<std::size_t>(samples_));
}

InkPattern PlanePainter::pattern(const Ink& ink, int alpha) const {
  InkPattern pattern = {};
  for (int i = 0; i < layout_.components; ++i) {
    const Component& c = layout_.component[i];
    if (!share_samples(c, first_)) continue;
    for (std::size_t k = static_cast<std::size_t>(c.offset / value_bytes_); k < InkPattern::kValues;
         k += static_cast<std::size_t>(step_)) {
      pattern.value[k] = ink.value[i];
      pattern.alpha[k] = static_cast<std::uint16_t>(alpha);
    }
  }
  return pattern;
}

void PlanePainter::set_inks(const Ink& fill, const Ink& contour) {
  const int shift = shift_x_ + shift_y_, half = (1 << shift) / 2;
  for (int pixels = 1; pixels <= 1 << shift; ++pixels)
    fill_[pixels] = pattern(fill, (fill.alpha * pixels + half) >> shift);
  contour_ = pattern(contour, contour.alpha);
}

// How many of a sample's rows a row stands for: an odd height's last row stands for two.
int PlanePainter::row_weight(int y) const {
  return shift_y_ > 0 && y == height_ - 1 && y % 2 == 0 ? 2 : 1;
}

// A row some way below is painted in much the same places. Asked for now, it is there by then:
// waiting for memory takes longer than blending.
void PlanePainter::fetch_ahead(const UnetsegFrame& frame, int row, const Run& samples) const {
  constexpr int kRows = 4, kCacheLine = 64;
  const int below = std::min(row + kRows, rows_ - 1);
  const std::uint8_t* last = at(frame, below, samples.last);
  for (const std::uint8_t* line = at(frame, below, samples.first); line < last; line += kCacheLine)
    __builtin_prefetch(line, 1);
}

void PlanePainter::blend_fill(const UnetsegFrame& frame, int row, const Run& samples,
                              int pixels) const {
  fetch_ahead(frame, row, samples);
  blends_.fill(at(frame, row, samples.first), fill_[pixels],
               static_cast<std::size_t>((samples.last - samples.first) * step_));
}

void PlanePainter::fill(const UnetsegFrame& frame, const std::vector<Run>& runs, int y) {
  for (const Run& run : runs) {
    if (is_subsampled())
      add_edges(run, row_weight(y));
    else
      blend_fill(frame, y, run, 1);
  }
}

void PlanePainter::add_edges(const Run& run, int weight) {
  // A sample that the run begins or ends in the middle of has half of its columns. An odd width's
  // last column stands for two.
  const auto add = [&](int x, int pixels) {
    const int sample = x >> shift_x_;
    if (shift_x_ == 0 || x % 2 == 0) {
      edges_.push_back({sample, pixels * (1 << shift_x_)});
    } else {
      edges_.push_back({sample, pixels});
      edges_.push_back({sample + 1, pixels});
    }
  };
  add(run.first, weight);
  add(run.last == width_ ? samples_ << shift_x_ : run.last, -weight);
}

void PlanePainter::contour(const UnetsegFrame& frame, const std::uint8_t* coverage,
                           const std::vector<Run>& runs, int y) {
  for (const Run& run : runs) {
    if (is_subsampled()) {
      add_coverage(coverage, run, row_weight(y));
      continue;
    }
    fetch_ahead(frame, y, run);
    blends_.cover(at(frame, y, run.first), contour_, step_, coverage + run.first,
                  static_cast<std::size_t>(run.last - run.first));
  }
}

void PlanePainter::add_coverage(const std::uint8_t* coverage, const Run& run, int weight) {
  std::uint16_t* sums = coverage_.data();
  for (int x = run.first; x < run.last; ++x) {
    std::uint16_t& sum = sums[x >> shift_x_];
    sum = static_cast<std::uint16_t>(sum + coverage[x] * weight);
  }
  if (run.last == width_ && width_ % 2 != 0 && shift_x_ > 0)
    sums[samples_ - 1] =
        static_cast<std::uint16_t>(sums[samples_ - 1] + coverage[width_ - 1] * weight);
  touched_.push_back({run.first >> shift_x_, subsampled(run.last, shift_x_)});
}

// Blends, and leaves nothing: a sample that two runs touch is not blended twice.
void PlanePainter::blend_coverage(const UnetsegFrame& frame, int row, const Run& samples) {
  constexpr int kBlock = 64;
  const int shift = shift_x_ + shift_y_, half = (1 << shift) / 2;
  fetch_ahead(frame, row, samples);
  for (int first = samples.first; first < samples.last; first += kBlock) {
    const int n = std::min(samples.last - first, kBlock);
    std::uint16_t* sums = coverage_.data() + first;
    std::uint8_t mean[kBlock];
    for (int i = 0; i < n; ++i) mean[i] = static_cast<std::uint8_t>((sums[i] + half) >> shift);
    std::fill_n(sums, n, std::uint16_t{0});
    blends_.cover(at(frame, row, first), contour_, step_, mean, static_cast<std::size_t>(n));
  }
}

void PlanePainter::finish_row(const UnetsegFrame& frame, int y) {
  if (!is_subsampled() || (shift_y_ > 0 && y % 2 == 0 && y != height_ - 1)) return;
  const int row = y >> shift_y_;
  std::sort(edges_.begin(), edges_.end(),
            [](const Edge& a, const Edge& b) { return a.sample < b.sample; });
  int first = 0, pixels = 0;
  for (const Edge& edge : edges_) {
    if (pixels > 0 && first < edge.sample) blend_fill(frame, row, {first, edge.sample}, pixels);
    first = edge.sample;
    pixels += edge.pixels;
  }
  edges_.clear();
  for (const Run& run : touched_) blend_coverage(frame, row, run);
  touched_.clear();
}

}  // namespace unetseg
