// SPDX-License-Identifier: MIT
#include "model/frame/contour.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unetseg {
namespace {

double top_of(const Segment& s) {
  return std::min(s.a.y, s.b.y);
}

double bottom_of(const Segment& s) {
  return std::max(s.a.y, s.b.y);
}

double distance(const Segment& s, double x, double y) {
  const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, square = dx * dx + dy * dy;
  const double along = square > 0 ? ((x - s.a.x) * dx + (y - s.a.y) * dy) / square : 0;
  const double part = std::min(std::max(along, 0.0), 1.0);
  const double off_x = x - s.a.x - part * dx, off_y = y - s.a.y - part * dy;
  return std::sqrt(off_x * off_x + off_y * off_y);  // several times faster than std::hypot
}

// Numbers of the pixels whose centres on row `y` lie within `radius` of the segment, cut to
// 0 .. width. The points within a radius are convex: two discs and the band between them.
Run within(const Segment& s, double radius, double y, int width) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Point& end : {s.a, s.b}) {
    const double dy = y - end.y;
    if (std::fabs(dy) > radius) continue;
    const double half = std::sqrt(radius * radius - dy * dy);
    low = std::min(low, end.x - half);
    high = std::max(high, end.x + half);
  }
  const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = std::sqrt(dx * dx + dy * dy);
  if (dy != 0)
    for (const double side : {-radius / length, radius / length}) {
      const double part = (y - s.a.y - side * dx) / dy;
      if (part < 0 || part > 1) continue;
      const double x = s.a.x - side * dy + part * dx;
      low = std::min(low, x);
      high = std::max(high, x);
    }
  if (low > high) return {0, 0};
  const double edge = width;
  return {static_cast<int>(std::ceil(std::min(std::max(low - 0.5, 0.0), edge))),
          static_cast<int>(std::floor(std::min(std::max(high + 0.5, 0.0), edge)))};
}

}  // namespace

void Contour::trace(const ProbabilityView& probabilities, double threshold, int width, int height,
                    double stroke) {
  coverage_.assign(static_cast<std::size_t>(width), 0);
  radius_ = stroke / 2;
  rows_ = touched_ = {0, 0};
  next_ = 0;
  active_.clear();
  trace_level_line(probabilities, threshold, width, height, segments_);
  if (segments_.empty()) return;

  active_.reserve(segments_.size());  // `row` allocates nothing
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return top_of(a) < top_of(b); });
  double bottom = 0;
  for (const Segment& segment : segments_) bottom = std::max(bottom, bottom_of(segment));
  const double reach = radius_ + 1, limit = height;
  rows_.first = static_cast<int>(std::max(top_of(segments_.front()) - reach, 0.0));
  rows_.last = static_cast<int>(std::min(std::ceil(bottom + reach), limit));
}

const std::uint8_t* Contour::row(int y) {
  std::fill(coverage_.begin() + touched_.first, coverage_.begin() + touched_.last, std::uint8_t{0});
  touched_ = {static_cast<int>(coverage_.size()), 0};
  const double centre = y + 0.5, reach = radius_ + 0.5;
  while (next_ < segments_.size() && top_of(segments_[next_]) - reach < centre)
    active_.push_back(next_++);
  active_.erase(
      std::remove_if(active_.begin(), active_.end(),
                     [&](std::size_t i) { return bottom_of(segments_[i]) + reach <= centre; }),
      active_.end());
  for (const std::size_t i : active_) draw(segments_[i], centre);
  if (touched_.first >= touched_.last) touched_ = {0, 0};
  return coverage_.data();
}

void Contour::draw(const Segment& segment, double y) {
  const int width = static_cast<int>(coverage_.size());
  const Run outer = within(segment, radius_ + 0.5, y, width);
  if (outer.first >= outer.last) return;
  Run inner = within(segment, radius_ - 0.5, y, width);
  if (inner.first >= inner.last) inner = {outer.last, outer.last};
  const auto soften = [&](int first, int last) {
    for (int x = first; x < last; ++x) {
      const double inside = radius_ + 0.5 - distance(segment, x + 0.5, y);
      const int covered = static_cast<int>(255 * std::min(std::max(inside, 0.0), 1.0) + 0.5);
      std::uint8_t& pixel = coverage_[static_cast<std::size_t>(x)];
      pixel = std::max(pixel, static_cast<std::uint8_t>(covered));
    }
  };
  soften(outer.first, inner.first);
  std::fill(coverage_.begin() + inner.first, coverage_.begin() + inner.last, std::uint8_t{255});
  soften(inner.last, outer.last);
  touched_.first = std::min(touched_.first, outer.first);
  touched_.last = std::max(touched_.last, outer.last);
}

}  // namespace unetseg
