// SPDX-License-Identifier: MIT
#include "model/motion/tracker.h"

#include <algorithm>
#include <cmath>

#include "model/motion/alignment.h"

namespace unetseg {
namespace {

constexpr double kSearched = 0.4;  // largest shift, in sides of the picture
constexpr double kLeastOverlap = 1. / 3;
constexpr double kMostTurn = 0.6;  // radians
constexpr double kMostZoom = 1.5;
constexpr double kLeastContrast = 0.006;  // see Picture::contrast()
constexpr int kCoarseSteps = 6, kFineSteps = 4;
constexpr double kCertain = 0.85;  // a correlation that no other place is searched for

// Correlations of frames of two scenes seldom reach the first, those of one scene seldom miss the
// second; between, the confidence rises.
constexpr double kUnrelated = 0.6, kSame = 0.85;

bool is_of_a_hand(const Similarity& s) {
  const double zoom = std::sqrt(s.determinant());
  return zoom < kMostZoom && zoom > 1 / kMostZoom && std::abs(std::atan2(s.b, s.a)) < kMostTurn;
}

double confidence_of(const Fit& fit) {
  if (fit.overlap < kLeastOverlap) return 0;
  return std::clamp((fit.correlation - kUnrelated) / (kSame - kUnrelated), 0.0, 1.0);
}

Alignment alignment(const Picture& from, const Picture& to, std::size_t level) {
  return Alignment(from.levels()[level], to.levels()[level], from.extent());
}

int reach(int side) {
  return static_cast<int>(kSearched * side);
}

}  // namespace

Tracker::Tracker(int width, int height) {
  const Picture picture(width, height);
  if (picture.levels().empty()) return;
  const Level& coarsest = picture.levels().back();
  scores_.resize(static_cast<std::size_t>(2 * reach(coarsest.width) + 1) *
                 static_cast<std::size_t>(2 * reach(coarsest.height) + 1));
}

// The best shifts of whole pixels that are no neighbours. Returns how many.
int Tracker::search(const Level& from, const Level& to, Shift* best) {
  const int most_x = reach(from.width), most_y = reach(from.height), columns = 2 * most_x + 1;
  std::size_t i = 0;
  for (int dy = -most_y; dy <= most_y; ++dy)
    for (int dx = -most_x; dx <= most_x; ++dx) {
      float pixels = 0, from2 = 0, to2 = 0, product = 0;
      const int first = std::max(0, -dx), last = std::min(from.width, from.width - dx);
      for (int y = std::max(0, -dy); y < std::min(from.height, from.height - dy); ++y) {
        const std::size_t here = from.at(0, y), there = to.at(0, y + dy);
        for (int x = first; x < last; ++x) {
          const std::size_t a = here + static_cast<std::size_t>(x);
          const std::size_t b = there + static_cast<std::size_t>(x + dx);
          const float both = from.seen[a] * to.seen[b];
          pixels += both;
          from2 += both * from.detail[a] * from.detail[a];
          to2 += both * to.detail[b] * to.detail[b];
          product += from.detail[a] * to.detail[b];
        }
      }
      const float energy = std::sqrt(from2 * to2);
      // Little in common fits well by chance.
      const float share = pixels / static_cast<float>(from.pixels());
      scores_[i++] = energy > 0 ? product / energy * std::sqrt(share) : 0;
    }
  int found = 0;
  for (; found < kCandidates; ++found) {
    const auto top = std::max_element(scores_.begin(), scores_.end());
    if (!(*top > 0)) break;
    const int index = static_cast<int>(top - scores_.begin());
    best[found] = {index % columns - most_x, index / columns - most_y};
    for (int y = -1; y <= 1; ++y)
      for (int x = -1; x <= 1; ++x) {
        const int column = index % columns + x, row = index / columns + y;
        if (column >= 0 && column < columns && row >= 0 && row < 2 * most_y + 1)
          scores_[static_cast<std::size_t>(row * columns + column)] = 0;
      }
  }
  return found;
}

Movement Tracker::track(const Picture& from, const Picture& to, const Similarity& guess) {
  Movement movement{guess, 0, false};
  if (from.levels().empty() || from.contrast() < kLeastContrast || to.contrast() < kLeastContrast)
    return movement;

  const std::size_t coarsest = from.levels().size() - 1;
  const std::size_t middle = coarsest > 0 ? coarsest - 1 : 0;
  Similarity motion = guess;
  double correlation = -1;
  const auto take_better = [&](Similarity start) {
    Alignment judge = alignment(from, to, middle);
    start = judge.refine(start, kCoarseSteps);
    if (!is_of_a_hand(start)) return;
    const Fit fit = judge.fit(start);
    if (fit.overlap < kLeastOverlap || fit.correlation <= correlation) return;
    correlation = fit.correlation;
    motion = start;
  };
  take_better(guess);
  if (correlation < kCertain) {
    const Level& level = from.levels()[coarsest];
    Shift shifts[kCandidates];
    const int n = search(level, to.levels()[coarsest], shifts);
    for (int i = 0; i < n; ++i)
      take_better(alignment(from, to, coarsest)
                      .refine({1, 0, shifts[i].x * level.step_x * from.extent().width,
                               shifts[i].y * level.step_y * from.extent().height},
                              kCoarseSteps));
  }
  for (std::size_t i = middle; i-- > 0;) motion = alignment(from, to, i).refine(motion, kFineSteps);

  const double confidence =
      is_of_a_hand(motion) ? confidence_of(alignment(from, to, 0).fit(motion)) : 0;
  if (confidence > 0)
    movement = {motion, confidence, false};
  else
    movement.other_scene = true;
  return movement;
}

}  // namespace unetseg
