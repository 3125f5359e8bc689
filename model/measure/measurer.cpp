// SPDX-License-Identifier: MIT
#include "model/measure/measurer.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <string>

#include "model/error.h"
#include "model/mask/expected_dice.h"
#include "model/measure/asymmetry.h"
#include "model/measure/convex_hull.h"
#include "model/measure/moments.h"

namespace unetseg {
namespace {

constexpr double kPi = 3.14159265358979323846;

double length(const std::vector<Segment>& segments) {
  double sum = 0;
  for (const Segment& s : segments) {
    const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y;
    sum += std::sqrt(dx * dx + dy * dy);  // several times faster than std::hypot
  }
  return sum;
}

// The points among which the border's outermost are: where the lesion meets the frame's edge the
// level line ends, and between two such ends only a corner can lie further out.
void collect_points(const std::vector<Segment>& border, const Moments& moments, int width,
                    int height, std::vector<Point>& points) {
  points.clear();
  for (const Segment& s : border) {
    points.push_back(s.a);
    points.push_back(s.b);
  }
  for (int right : {0, 1})
    for (int bottom : {0, 1})
      if (moments.corner[bottom][right])
        points.push_back(
            {static_cast<double>(right * width), static_cast<double>(bottom * height)});
}

}  // namespace

UnetsegMeasurement Measurer::measure(const ProbabilityView& shown, const float* cleaned,
                                     const float* network, int width, int height,
                                     double threshold) {
  UnetsegMeasurement found = {};
  try {
    upsampler_.configure(shown, width, height);
    const Moments moments = sum_moments(upsampler_, threshold);
    if (moments.area == 0) return found;
    trace_level_line(shown, threshold, width, height, border_);
    collect_points(border_, moments, width, height, points_);
    make_convex_hull(points_, hull_);

    found.found = TRUE;
    found.area = moments.area;
    found.area_fraction = moments.area / (static_cast<double>(width) * height);
    found.x = moments.left;
    found.y = moments.top;
    found.width = moments.right - moments.left;
    found.height = moments.bottom - moments.top;
    found.centroid_x = moments.centroid.x;
    found.centroid_y = moments.centroid.y;
    found.perimeter = length(border_) + moments.frame_edge;
    found.diameter = diameter_of(hull_);
    found.asymmetry = asymmetry_of({shown, threshold, width, height}, moments, hull_);
    // Of a lesion of a few pixels the line may be short beside the pixels.
    found.border_irregularity =
        std::max(1.0, found.perimeter * found.perimeter / (4 * kPi * found.area));
    const std::size_t pixels =
        static_cast<std::size_t>(shown.width) * static_cast<std::size_t>(shown.height);
    const float level = reaching_level(threshold);
    found.confidence =
        expected_dice(network, pixels, [&](std::size_t i) { return cleaned[i] >= level; });
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space, "There is not enough memory to measure a lesion on a frame of " +
                                     std::to_string(width) + " x " + std::to_string(height) +
                                     " pixels.");
  }
  return found;
}

}  // namespace unetseg
