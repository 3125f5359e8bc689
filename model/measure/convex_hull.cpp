// SPDX-License-Identifier: MIT
// Andrew's monotone chain and rotating calipers. OpenCV's hull allocates at every call.
#include "model/measure/convex_hull.h"

#include <algorithm>
#include <cmath>

namespace unetseg {
namespace {

double turn(Point a, Point b, Point c, Point d) {
  return (b.x - a.x) * (d.y - c.y) - (b.y - a.y) * (d.x - c.x);
}

// Appends `point`, after those are gone that it leaves inside; the first `fixed` stay.
void extend(std::vector<Point>& hull, std::size_t fixed, Point point) {
  while (hull.size() > fixed &&
         turn(hull[hull.size() - 2], hull.back(), hull[hull.size() - 2], point) <= 0)
    hull.pop_back();
  hull.push_back(point);
}

double distance(Point a, Point b) {
  return std::hypot(b.x - a.x, b.y - a.y);
}

}  // namespace

void make_convex_hull(std::vector<Point>& points, std::vector<Point>& hull) {
  const auto before = [](Point a, Point b) { return a.x < b.x || (a.x == b.x && a.y < b.y); };
  const auto same = [](Point a, Point b) { return a.x == b.x && a.y == b.y; };
  std::sort(points.begin(), points.end(), before);
  points.erase(std::unique(points.begin(), points.end(), same), points.end());
  hull.clear();
  hull.reserve(points.size() + 1);
  if (points.size() < 2) {
    hull = points;
    return;
  }
  for (const Point& point : points) extend(hull, 1, point);
  const std::size_t there = hull.size();
  for (std::size_t i = points.size() - 1; i-- > 0;) extend(hull, there, points[i]);
  hull.pop_back();  // the first point once more
}

double diameter_of(const std::vector<Point>& hull) {
  const auto next = [&hull](std::size_t i) { return i + 1 == hull.size() ? 0 : i + 1; };
  double longest = 0;
  if (hull.size() < 2) return longest;
  std::size_t opposite = 1;
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const Point from = hull[i], to = hull[next(i)];
    // Ends at the latest where it comes round to this side itself, whose turn is exactly 0.
    while (turn(from, to, hull[opposite], hull[next(opposite)]) > 0) opposite = next(opposite);
    longest = std::max({longest, distance(from, hull[opposite]), distance(to, hull[opposite])});
  }
  return longest;
}

}  // namespace unetseg
