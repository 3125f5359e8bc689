// SPDX-License-Identifier: MIT
// Marching squares. Between four pixel centres the field is bilinear and its level line a piece of
// a hyperbola, which is followed in short chords; one chord for each cell would be off by whole
// pixels where a small map meets a large frame.
#include "model/frame/level_line.h"

#include <algorithm>
#include <cmath>

#include "model/mask/crossings.h"

namespace unetseg {
namespace {

constexpr double kTolerance = 0.1;  // frame pixels
constexpr int kDepth = 10;          // halvings: enough for cells of tens of thousands of pixels

// The field between four neighbouring pixel centres; (u, v) in 0..1 from the top left one.
struct Cell {
  double left_top, right_top, left_bottom, right_bottom;
  double level;
  Point origin, size;  // in the frame

  Point at(Point uv) const { return {origin.x + uv.x * size.x, origin.y + uv.y * size.y}; }
};

// Where a line from value `a` to value `b` crosses the level; `fallback` where it does not.
double crossing(double a, double b, double level, double fallback) {
  return a == b ? fallback : std::min(std::max(0.0, (level - a) / (b - a)), 1.0);
}

// The point of the level line halfway from one of its points to another, as seen along the cell's
// axis that the line runs along: there the field is linear across and meets the level once.
Point halfway(const Cell& cell, Point from, Point to) {
  Point uv = {(from.x + to.x) / 2, (from.y + to.y) / 2};
  const double dx = (to.x - from.x) * cell.size.x, dy = (to.y - from.y) * cell.size.y;
  if (std::fabs(dy) >= std::fabs(dx))
    uv.x = crossing(cell.left_top + uv.y * (cell.left_bottom - cell.left_top),
                    cell.right_top + uv.y * (cell.right_bottom - cell.right_top), cell.level, uv.x);
  else
    uv.y = crossing(cell.left_top + uv.x * (cell.right_top - cell.left_top),
                    cell.left_bottom + uv.x * (cell.right_bottom - cell.left_bottom), cell.level,
                    uv.y);
  return uv;
}

// The level line's branch from one point on the cell's outline to another: a chord where the
// branch, which bends one way only, stays close to it, and else its two halves.
void follow(const Cell& cell, Point from, Point to, int depth, std::vector<Segment>& segments) {
  const Point middle = halfway(cell, from, to);
  const double off = std::hypot((middle.x - (from.x + to.x) / 2) * cell.size.x,
                                (middle.y - (from.y + to.y) / 2) * cell.size.y);
  if (off <= kTolerance || depth == 0) {
    segments.push_back({cell.at(from), cell.at(to)});
  } else {
    follow(cell, from, middle, depth - 1, segments);
    follow(cell, middle, to, depth - 1, segments);
  }
}

// Opposite corners agree and neighbours do not: whether the two that reach the level are joined is
// told by the field's saddle point.
bool saddle_reaches(const Cell& cell) {
  const double twist = cell.left_top + cell.right_bottom - cell.right_top - cell.left_bottom;
  const double product = cell.left_top * cell.right_bottom - cell.right_top * cell.left_bottom;
  return twist > 0 ? product >= cell.level * twist : product <= cell.level * twist;
}

void trace_cell(const Cell& cell, std::vector<Segment>& segments) {
  const auto reaches = [&cell](double value) { return value >= cell.level; };
  const auto cross = [&cell](double a, double b) { return crossing(a, b, cell.level, 0.5); };
  const bool left_top = reaches(cell.left_top), right_top = reaches(cell.right_top);
  const bool left_bottom = reaches(cell.left_bottom), right_bottom = reaches(cell.right_bottom);
  Point points[4];
  int n = 0;
  if (left_top != right_top) points[n++] = {cross(cell.left_top, cell.right_top), 0};
  if (right_top != right_bottom) points[n++] = {1, cross(cell.right_top, cell.right_bottom)};
  if (left_bottom != right_bottom) points[n++] = {cross(cell.left_bottom, cell.right_bottom), 1};
  if (left_top != left_bottom) points[n++] = {0, cross(cell.left_top, cell.left_bottom)};
  if (n == 2) follow(cell, points[0], points[1], kDepth, segments);
  if (n == 4) {
    const bool cut_left_top = left_top != saddle_reaches(cell);
    follow(cell, points[0], points[cut_left_top ? 3 : 1], kDepth, segments);
    follow(cell, points[2], points[cut_left_top ? 1 : 3], kDepth, segments);
  }
}

// A map's pixel centres along an axis in the frame, with the ends of the map's part before and
// after them: the field goes on unchanged between the outermost centres and the end.
class Centres {
 public:
  Centres(const Share& share, int samples, int pixels)
      : axis_(share, samples, pixels), samples_(samples) {}
  double operator[](int index) const {
    return axis_.to_frame(std::min(std::max(index - 0.5, 0.0), samples_));
  }

 private:
  PlacedAxis axis_;
  double samples_;
};

// Where the lesion meets an end of the map that lies within the frame: `values` are the map's along
// that end, `stride` apart, and `place` makes a point on it of a position along it.
template <typename Place>
void close(const float* values, std::ptrdiff_t stride, int samples, double level,
           const Centres& centres, const Place& place, std::vector<Segment>& segments) {
  for (int i = 0; i <= samples; ++i) {
    const double a = values[std::max(i - 1, 0) * stride];
    const double b = values[std::min(i, samples - 1) * stride];
    if (a < level && b < level) continue;
    const double from = centres[i], length = centres[i + 1] - from;
    const double cut = crossing(a, b, level, 0);
    const double first = a < level ? cut : 0, last = b < level ? cut : 1;
    segments.push_back({place(from + first * length), place(from + last * length)});
  }
}

}  // namespace

void trace_level_line(const ProbabilityView& probabilities, double threshold, int width, int height,
                      std::vector<Segment>& segments) {
  const int columns = probabilities.width, rows = probabilities.height;
  const float level = reaching_level(threshold);
  const FramePart& part = probabilities.part;
  const Centres across(part.across, columns, width), down(part.down, rows, height);
  segments.clear();
  for (int j = 0; j <= rows; ++j) {
    const float* top = probabilities.data + static_cast<std::size_t>(std::max(j - 1, 0)) *
                                                static_cast<std::size_t>(columns);
    const float* bottom = probabilities.data + static_cast<std::size_t>(std::min(j, rows - 1)) *
                                                   static_cast<std::size_t>(columns);
    const double y = down[j], cell_height = down[j + 1] - y;
    // The cell left of column i; those at the ends have no neighbour on the other side.
    const auto trace = [&](int i) {
      const int left = std::max(i - 1, 0), right = std::min(i, columns - 1);
      const double x = across[i], cell_width = across[i + 1] - x;
      trace_cell({top[left],
                  top[right],
                  bottom[left],
                  bottom[right],
                  level,
                  {x, y},
                  {cell_width, cell_height}},
                 segments);
    };
    const auto differ = [&](int i) { return (top[i] >= level) != (bottom[i] >= level); };
    if (differ(0)) trace(0);
    for_each_crossing(top, bottom, columns, level, [&](int column) { trace(column + 1); });
    if (differ(columns - 1)) trace(columns);
  }
  const auto close_column = [&](int column, double x) {
    close(
        probabilities.data + column, columns, rows, level, down,
        [x](double y) {
          return Point{x, y};
        },
        segments);
  };
  const auto close_row = [&](int row, double y) {
    close(
        probabilities.data + static_cast<std::ptrdiff_t>(row) * columns, 1, columns, level, across,
        [y](double x) {
          return Point{x, y};
        },
        segments);
  };
  if (part.across.first > 0) close_column(0, across[0]);
  if (part.across.last < 1) close_column(columns - 1, across[columns + 1]);
  if (part.down.first > 0) close_row(0, down[0]);
  if (part.down.last < 1) close_row(rows - 1, down[rows + 1]);
}

}  // namespace unetseg
