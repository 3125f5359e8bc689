// SPDX-License-Identifier: MIT
#include "model/frame/contour.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace unetseg {
namespace {

constexpr float kFar = std::numeric_limits<float>::max();
constexpr int kVector = 8;  // pixels that are computed together

int whole_vectors(int pixels) {
  return (pixels + kVector - 1) / kVector;
}

void approach_pixels(const ChordView& chord, float* __restrict nearest, int vectors) {
  const ChordView c = chord;
  for (int i = 0; i < vectors * kVector; ++i)
    nearest[i] = std::min(nearest[i], squared_distance(c, i));
}

void cover_pixels(float reach, float* nearest, int vectors) {
  for (int i = 0; i < vectors * kVector; ++i) nearest[i] = coverage_within(reach, nearest[i]);
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
    chords_.push_back(chord_of(s));
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
  while (next_ < chords_.size() && begins_above(chords_[next_], centre, reach))
    active_.push_back(next_++);
  active_.erase(
      std::remove_if(active_.begin(), active_.end(),
                     [&](std::size_t i) { return ends_above(chords_[i], centre, reach); }),
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

void Contour::approach(const Chord& chord, double y) {
  const Run run = reached(chord, y, radius_ + 0.5, width_);
  if (run.first >= run.last) return;
  runs_.push_back(run);
  approach_pixels(seen_from(chord, run.first, y), nearest_.data() + run.first,
                  whole_vectors(run.last - run.first));
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
