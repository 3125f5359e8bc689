// SPDX-License-Identifier: MIT
#include "model/frame/contour.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unetseg {
namespace {

constexpr float kFar = std::numeric_limits<float>::max();
constexpr int kVector = 8;  // pixels that are computed together

// A chord as the pixels of a row see it: (x, y) is the centre of the first of them, from the
// chord's middle.
struct View {
  float x, y, direction_x, direction_y, half;
};

int whole_vectors(int pixels) {
  return (pixels + kVector - 1) / kVector;
}

// Numbers of the pixels whose centres on a row are from `low` to `high`, cut to 0 .. width.
Run pixels_between(double low, double high, int width) {
  const double edge = width;
  return {static_cast<int>(std::ceil(std::min(std::max(low - 0.5, 0.0), edge))),
          static_cast<int>(std::floor(std::min(std::max(high + 0.5, 0.0), edge)))};
}

void approach_pixels(const View& chord, float* __restrict nearest, int vectors) {
  const View c = chord;
  for (int i = 0; i < vectors * kVector; ++i) {
    const float x = c.x + static_cast<float>(i);
    const float along = std::fabs(x * c.direction_x + c.y * c.direction_y);
    const float across = x * c.direction_y - c.y * c.direction_x;
    const float beyond = std::max(along - c.half, 0.f);
    nearest[i] = std::min(nearest[i], beyond * beyond + across * across);
  }
}

// Coverage of 0..255, to be rounded down, instead of squares of distances.
void cover_pixels(float reach, float* nearest, int vectors) {
  for (int i = 0; i < vectors * kVector; ++i) {
    const float inside = reach - std::sqrt(nearest[i]);
    nearest[i] = 255 * std::min(std::max(inside, 0.f), 1.f) + 0.5f;
  }
}

}  // namespace

void Contour::trace(const ProbabilityView& probabilities, double threshold, int width, int height,
                    double stroke) {
  nearest_.assign(static_cast<std::size_t>(width) + kVector, kFar);
  coverage_.assign(static_cast<std::size_t>(width), 0);
  width_ = width;
  radius_ = stroke / 2;
  rows_ = {0, 0};
  next_ = 0;
  chords_.clear();
  active_.clear();
  runs_.clear();
  trace_level_line(probabilities, threshold, width, height, segments_);
  if (segments_.empty()) return;

  chords_.reserve(segments_.size());
  active_.reserve(segments_.size());  // `row` allocates nothing
  runs_.reserve(segments_.size());
  double bottom = 0;
  for (const Segment& s : segments_) {
    const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, length = std::sqrt(dx * dx + dy * dy);
    const Point direction = length > 0 ? Point{dx / length, dy / length} : Point{1, 0};
    chords_.push_back({{(s.a.x + s.b.x) / 2, (s.a.y + s.b.y) / 2},
                       direction,
                       length / 2,
                       std::min(s.a.y, s.b.y),
                       std::max(s.a.y, s.b.y)});
    bottom = std::max(bottom, chords_.back().bottom);
  }
  std::sort(chords_.begin(), chords_.end(),
            [](const Chord& a, const Chord& b) { return a.top < b.top; });
  const double reach = radius_ + 1, limit = height;
  rows_.first = static_cast<int>(std::max(chords_.front().top - reach, 0.0));
  rows_.last = static_cast<int>(std::min(std::ceil(bottom + reach), limit));
}

const std::uint8_t* Contour::row(int y) {
  for (const Run& run : runs_)
    std::fill(coverage_.begin() + run.first, coverage_.begin() + run.last, std::uint8_t{0});
  runs_.clear();
  const double centre = y + 0.5, reach = radius_ + 0.5;
  while (next_ < chords_.size() && chords_[next_].top - reach < centre) active_.push_back(next_++);
  active_.erase(std::remove_if(active_.begin(), active_.end(),
                               [&](std::size_t i) { return chords_[i].bottom + reach <= centre; }),
                active_.end());
  for (const std::size_t i : active_) approach(chords_[i], centre);
  join_runs();
  for (const Run& run : runs_) {
    float* nearest = nearest_.data() + run.first;
    const int n = run.last - run.first, vectors = whole_vectors(n);
    cover_pixels(static_cast<float>(reach), nearest, vectors);
    std::uint8_t* coverage = coverage_.data() + run.first;
    for (int i = 0; i < n; ++i) coverage[i] = static_cast<std::uint8_t>(nearest[i]);
    std::fill_n(nearest, vectors * kVector, kFar);
  }
  return coverage_.data();
}

// No pixel outside of these is covered; some of these may not be either. The point of the chord
// that is nearest to a covered pixel lies as close to its row.
Run Contour::reached(const Chord& chord, double y) const {
  constexpr double kLevel = 1e-6;
  const double reach = radius_ + 0.5;
  double from = -chord.half, to = chord.half;
  if (std::fabs(chord.direction.y) > kLevel) {
    const double a = (y - reach - chord.middle.y) / chord.direction.y;
    const double b = (y + reach - chord.middle.y) / chord.direction.y;
    from = std::max(from, std::min(a, b));
    to = std::min(to, std::max(a, b));
  }
  const double a = chord.middle.x + from * chord.direction.x;
  const double b = chord.middle.x + to * chord.direction.x;
  return pixels_between(std::min(a, b) - reach, std::max(a, b) + reach, width_);
}

void Contour::approach(const Chord& chord, double y) {
  const Run run = reached(chord, y);
  if (run.first >= run.last) return;
  runs_.push_back(run);
  approach_pixels({static_cast<float>(run.first + 0.5 - chord.middle.x),
                   static_cast<float>(y - chord.middle.y), static_cast<float>(chord.direction.x),
                   static_cast<float>(chord.direction.y), static_cast<float>(chord.half)},
                  nearest_.data() + run.first, whole_vectors(run.last - run.first));
}

// Runs then lie apart by more than a vector, so that whole ones hold no other run's pixels.
void Contour::join_runs() {
  std::sort(runs_.begin(), runs_.end(),
            [](const Run& a, const Run& b) { return a.first < b.first; });
  std::size_t joined = 0;
  for (const Run& run : runs_) {
    if (joined > 0 && run.first - kVector <= runs_[joined - 1].last)
      runs_[joined - 1].last = std::max(runs_[joined - 1].last, run.last);
    else
      runs_[joined++] = run;
  }
  runs_.resize(joined);
}

}  // namespace unetseg
