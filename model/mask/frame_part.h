// SPDX-License-Identifier: MIT
// Which part of a frame a probability map is of, and the way from the frame's pixels to the map's.
#pragma once

#include <algorithm>
#include <cmath>

namespace unetseg {

// Part of one axis of the frame, of which 0 and 1 are the ends.
struct Share {
  double first = 0, last = 1;
};

struct FramePart {
  Share across, down;

  double area() const { return (across.last - across.first) * (down.last - down.first); }
};

// Pixels [first, last) of a row.
struct Run {
  int first, last;
};

// The samples of a map along one axis, and the pixels of a frame of some size that they lie on.
// Pixels and samples have their centres at half-integers.
class PlacedAxis {
 public:
  PlacedAxis(const Share& share, int samples, int pixels)
      : samples_(samples),
        pixels_(pixels),
        begin_(share.first * pixels),
        extent_((share.last - share.first) * pixels) {}

  // The ends of the part, in frame pixels.
  double begin() const { return begin_; }
  double end() const { return begin_ + extent_; }
  // Pixels whose centres lie in the part. One that lies on its end does whatever rounding makes of
  // that end: at the first it is in, at the last it is out.
  Run pixels() const {
    const auto from = [this](double edge) {
      return static_cast<int>(std::min(std::ceil(std::max(edge - 0.5 - kRounding, 0.0)), pixels_));
    };
    return {from(begin()), from(end())};
  }

  // Position in the map, in units of samples, of a position in the frame, in pixels.
  double to_map(double position) const { return (position - begin_) * samples_ / extent_; }
  // The other way round.
  double to_frame(double position) const { return begin_ + position / samples_ * extent_; }

 private:
  static constexpr double kRounding = 1e-6;  // of a pixel

  double samples_, pixels_, begin_, extent_;
};

}  // namespace unetseg
