// SPDX-License-Identifier: MIT
#include "model/motion/picture.h"

#include <algorithm>
#include <cmath>

namespace unetseg {
namespace {

constexpr int kFinest = 64;    // pixels of the finest level's shorter side, about
constexpr int kCoarsest = 14;  // and of the coarsest one's at least
constexpr int kSmallest = 24;  // of a sample that can be tracked

constexpr float kDarkest = 0.03f;  // added to grey, 0..1: noise in the dark must not grow
constexpr float kRim = 0.15f;      // of the bright parts' grey: what is darker at the edge is rim
constexpr int kRimSpare = 4;       // finest pixels beside the rim that its blur may reach
constexpr int kSurroundings = 16;  // a level's shorter side over the radius of surroundings

// Green sees blood and melanin best; red is close to the same on skin and lesion.
constexpr float kShare[3] = {0.25f, 0.5f, 0.25f};

std::size_t size(int n) {
  return static_cast<std::size_t>(n);
}

}  // namespace

Picture::Picture(int width, int height) : width_(width), height_(height) {
  const int shorter = std::min(width, height);
  factor_ = std::max(1, shorter / kFinest);
  if (shorter < kSmallest) return;
  int w = width / factor_, h = height / factor_;
  row_.resize(size(width));
  while (true) {
    Level level;
    level.width = w;
    level.height = h;
    level.step_x = static_cast<double>(factor_ << levels_.size()) / width;
    level.step_y = static_cast<double>(factor_ << levels_.size()) / height;
    for (auto* plane : {&level.seen, &level.detail, &level.dx, &level.dy, &level.whole})
      plane->resize(level.pixels());
    grey_.emplace_back(level.pixels());
    levels_.push_back(std::move(level));
    if (std::min(w, h) / 2 < kCoarsest) break;
    w /= 2;
    h /= 2;
  }
  eroded_.resize(levels_[0].pixels());
  sums_.resize(size(levels_[0].width + 1) * size(levels_[0].height + 1));
  counts_.resize(sums_.size());
}

void Picture::take(const float* planar_rgb, const Normalisation& normalisation,
                   const Extent& extent) {
  extent_ = extent;
  if (levels_.empty()) return;
  shrink_sample(planar_rgb, normalisation);
  find_rim();
  for (float& grey : grey_[0]) grey = std::log(kDarkest + std::max(grey, 0.0f));
  for (std::size_t i = 1; i < levels_.size(); ++i) shrink(i);
  for (std::size_t i = 0; i < levels_.size(); ++i) take_detail(i);

  double energy = 0, seen = 0;
  for (std::size_t i = 0; i < levels_[0].pixels(); ++i) {
    energy += static_cast<double>(levels_[0].detail[i] * levels_[0].detail[i]);
    seen += static_cast<double>(levels_[0].seen[i]);
  }
  contrast_ = seen > 0 ? std::sqrt(energy / seen) : 0;
}

// Means over squares. Columns and rows that are too many for whole squares are left out.
void Picture::shrink_sample(const float* planar_rgb, const Normalisation& normalisation) {
  const Level& to = levels_[0];
  const std::size_t plane = size(width_) * size(height_);
  const float share = 1 / static_cast<float>(factor_ * factor_);
  float offset = 0, factor[3];
  for (int c = 0; c < 3; ++c) {
    offset += kShare[c] * normalisation.mean[c];
    factor[c] = kShare[c] * normalisation.stddev[c] * share;
  }
  for (int y = 0; y < to.height; ++y) {
    std::fill(row_.begin(), row_.end(), 0.0f);
    for (int k = 0; k < factor_; ++k) {
      const float* red = planar_rgb + size(y * factor_ + k) * size(width_);
      const float *green = red + plane, *blue = green + plane;
      for (std::size_t x = 0; x < size(width_); ++x)
        row_[x] += factor[0] * red[x] + factor[1] * green[x] + factor[2] * blue[x];
    }
    float* out = &grey_[0][to.at(0, y)];
    for (int x = 0; x < to.width; ++x) {
      float sum = offset;
      for (int k = 0; k < factor_; ++k) sum += row_[size(x * factor_ + k)];
      out[x] = sum;
    }
  }
}

// The view of many dermatoscopes is a disc, and a frame may lie between bars: black that begins at
// the edge. It moves with the camera, not with the scene. Black in the middle is a lesion's.
void Picture::find_rim() {
  Level& level = levels_[0];
  const std::vector<float>& grey = grey_[0];
  double sum = 0, bright_sum = 0, bright = 0;
  for (const float g : grey) sum += static_cast<double>(g);
  const float mean = static_cast<float>(sum / static_cast<double>(grey.size()));
  for (const float g : grey)
    if (g >= mean) {
      bright_sum += static_cast<double>(g);
      ++bright;
    }
  const float dark = kRim * static_cast<float>(bright_sum / std::max(bright, 1.0));

  std::fill(level.seen.begin(), level.seen.end(), 1.0f);
  const auto walk = [&](std::size_t from, std::ptrdiff_t step, int most) {
    for (int i = 0; i < most && grey[from] < dark; ++i) {
      level.seen[from] = 0;
      from =
          static_cast<std::size_t>(static_cast<std::ptrdiff_t>(from) + (i + 1 < most ? step : 0));
    }
  };
  const std::ptrdiff_t width = level.width;
  for (int y = 0; y < level.height; ++y) {
    walk(level.at(0, y), 1, level.width);
    walk(level.at(level.width - 1, y), -1, level.width);
  }
  for (int x = 0; x < level.width; ++x) {
    walk(level.at(x, 0), width, level.height);
    walk(level.at(x, level.height - 1), -width, level.height);
  }

  erode(level, kRimSpare, false);
}

// Takes what lies within `spare` pixels of what is not seen for not seen, too.
void Picture::erode(Level& level, int spare, bool at_edge) {
  eroded_.assign(level.seen.begin(), level.seen.end());
  for (int y = 0; y < level.height; ++y)
    for (int x = 0; x < level.width; ++x) {
      const bool outside =
          x < spare || y < spare || x >= level.width - spare || y >= level.height - spare;
      if (at_edge && outside) eroded_[level.at(x, y)] = 0;
      if (level.seen[level.at(x, y)] > 0) continue;
      for (int j = std::max(0, y - spare); j <= std::min(level.height - 1, y + spare); ++j)
        for (int i = std::max(0, x - spare); i <= std::min(level.width - 1, x + spare); ++i)
          eroded_[level.at(i, j)] = 0;
    }
  level.seen = eroded_;  // swapped, they would be too small for other levels, again and again
}

void Picture::shrink(std::size_t index) {
  const Level& from = levels_[index - 1];
  Level& to = levels_[index];
  const std::vector<float>& grey = grey_[index - 1];
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x) {
      const std::size_t a = from.at(2 * x, 2 * y), b = from.at(2 * x, 2 * y + 1);
      grey_[index][to.at(x, y)] = 0.25f * (grey[a] + grey[a + 1] + grey[b] + grey[b + 1]);
      to.seen[to.at(x, y)] = from.seen[a] * from.seen[a + 1] * from.seen[b] * from.seen[b + 1];
    }
}

void Picture::take_detail(std::size_t index) {
  Level& level = levels_[index];
  const std::vector<float>& grey = grey_[index];
  const int radius = std::max(2, std::min(level.width, level.height) / kSurroundings);
  const std::size_t stride = size(level.width) + 1;
  std::fill_n(sums_.begin(), stride, 0.0);
  std::fill_n(counts_.begin(), stride, 0.0);
  for (int y = 0; y < level.height; ++y) {
    const std::size_t above = size(y) * stride, here = above + stride;
    double sum = 0, count = 0;
    sums_[here] = counts_[here] = 0;
    for (int x = 0; x < level.width; ++x) {
      const double seen = static_cast<double>(level.seen[level.at(x, y)]);
      sum += seen * static_cast<double>(grey[level.at(x, y)]);
      count += seen;
      sums_[here + size(x) + 1] = sums_[above + size(x) + 1] + sum;
      counts_[here + size(x) + 1] = counts_[above + size(x) + 1] + count;
    }
  }
  for (int y = 0; y < level.height; ++y) {
    const std::size_t top = size(std::max(0, y - radius)) * stride;
    const std::size_t bottom = size(std::min(level.height, y + radius + 1)) * stride;
    for (int x = 0; x < level.width; ++x) {
      const std::size_t left = size(std::max(0, x - radius));
      const std::size_t right = size(std::min(level.width, x + radius + 1));
      const auto within = [&](const std::vector<double>& s) {
        return s[bottom + right] - s[bottom + left] - s[top + right] + s[top + left];
      };
      const std::size_t i = level.at(x, y);
      level.detail[i] =
          level.seen[i] > 0 ? grey[i] - static_cast<float>(within(sums_) / within(counts_)) : 0;
    }
  }

  // Where surroundings are cut off they say little, and change as the picture moves.
  erode(level, std::max(1, radius / 2), true);
  for (std::size_t i = 0; i < level.pixels(); ++i) level.detail[i] *= level.seen[i];
  const std::size_t w = size(level.width);
  for (int y = 0; y < level.height - 1; ++y)
    for (int x = 0; x < level.width - 1; ++x) {
      const float* seen = &level.seen[level.at(x, y)];
      level.whole[level.at(x, y)] = seen[0] * seen[1] * seen[w] * seen[w + 1];
    }
  std::fill(level.dx.begin(), level.dx.end(), 0.0f);
  std::fill(level.dy.begin(), level.dy.end(), 0.0f);
  for (int y = 1; y < level.height - 1; ++y)
    for (int x = 1; x < level.width - 1; ++x) {
      const std::size_t i = level.at(x, y);
      const float seen = level.seen[i] * level.seen[i - 1] * level.seen[i + 1] * level.seen[i - w] *
                         level.seen[i + w];
      level.dx[i] = 0.5f * seen * (level.detail[i + 1] - level.detail[i - 1]);
      level.dy[i] = 0.5f * seen * (level.detail[i + w] - level.detail[i - w]);
    }
}

}  // namespace unetseg
