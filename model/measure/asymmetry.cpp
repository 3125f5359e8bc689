// SPDX-License-Identifier: MIT
#include "model/measure/asymmetry.h"

#include <algorithm>
#include <cmath>

namespace unetseg {
namespace {

constexpr int kHalf = 64;  // places from the centroid to the end of the extent

// The shape in the map's own coordinates, in which sample i has its centre at i.
class Field {
 public:
  explicit Field(const Shape& shape)
      : map_(shape.probabilities),
        level_(reaching_level(shape.threshold)),
        across_(map_.part.across, map_.width, shape.width),
        down_(map_.part.down, map_.height, shape.height),
        scale_{map_.width / (across_.end() - across_.begin()),
               map_.height / (down_.end() - down_.begin())} {}

  Point place(Point frame) const {
    return {across_.to_map(frame.x) - 0.5, down_.to_map(frame.y) - 0.5};
  }
  Point direction(Point frame) const { return {frame.x * scale_.x, frame.y * scale_.y}; }

  bool reaches(double x, double y) const {
    const double right = map_.width - 0.5, bottom = map_.height - 0.5;
    if (x < -0.5 || y < -0.5 || x >= right || y >= bottom) return false;
    const double u = std::min(std::max(x, 0.0), map_.width - 1.0);
    const double v = std::min(std::max(y, 0.0), map_.height - 1.0);
    const int left = static_cast<int>(u), top = static_cast<int>(v);
    const float right_weight = static_cast<float>(u - left);
    const float bottom_weight = static_cast<float>(v - top);
    const float above = between(left, top, right_weight);
    const float below = bottom_weight > 0 ? between(left, top + 1, right_weight) : above;
    return above + bottom_weight * (below - above) >= level_;
  }

 private:
  float between(int left, int row, float right_weight) const {
    const float* at = map_.data + static_cast<std::ptrdiff_t>(row) * map_.width + left;
    return right_weight > 0 ? at[0] + right_weight * (at[1] - at[0]) : at[0];
  }

  ProbabilityView map_;
  float level_;
  PlacedAxis across_, down_;
  Point scale_;  // samples a pixel
};

// How far the hull's corners are from `centre`, along and across the direction `axis`.
Point extent(const std::vector<Point>& hull, Point centre, Point axis) {
  Point most = {0, 0};
  for (const Point& p : hull) {
    const double dx = p.x - centre.x, dy = p.y - centre.y;
    most.x = std::max(most.x, std::fabs(dx * axis.x + dy * axis.y));
    most.y = std::max(most.y, std::fabs(dy * axis.x - dx * axis.y));
  }
  return most;
}

}  // namespace

// Four places at a time, each of which is the mirror image of two of the others.
double asymmetry_of(const Shape& shape, const Moments& moments, const std::vector<Point>& hull) {
  const Field field(shape);
  const Point centre = moments.centroid, axis = moments.long_axis();
  const Point most = extent(hull, centre, axis);
  const Point middle = field.place(centre);
  const Point along = field.direction({axis.x * most.x / kHalf, axis.y * most.x / kHalf});
  const Point across = field.direction({-axis.y * most.y / kHalf, axis.x * most.y / kHalf});
  const auto reaches = [&](double u, double v) {
    return field.reaches(middle.x + v * across.x + u * along.x,
                         middle.y + v * across.y + u * along.y);
  };
  long inside = 0, alone = 0;  // `alone`: places without a mirror image, for each of the two axes
  for (int j = 0; j < kHalf; ++j)
    for (int i = 0; i < kHalf; ++i) {
      const double u = i + 0.5, v = j + 0.5;
      const bool a = reaches(u, v), b = reaches(-u, v), c = reaches(-u, -v), d = reaches(u, -v);
      inside += a + b + c + d;
      alone += (a != b) + (b != c) + (c != d) + (d != a);
    }
  return inside == 0 ? 0 : static_cast<double>(alone) / (2.0 * static_cast<double>(inside));
}

}  // namespace unetseg
