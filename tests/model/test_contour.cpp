// SPDX-License-Identifier: MIT
// The contour's geometry: where the level line runs, and what of each pixel a stroke covers.
#include "model/frame/contour.h"

#include "tests/check.h"
#include "tests/model/map.h"

using namespace unetseg;

namespace {

constexpr double kPi = 3.14159265358979;

// Probability falls evenly with the distance from the rim, in map pixels.
Map disc(int size, double x, double y, double radius) {
  Map map{size, size, {}};
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i)
      map.values.push_back(
          static_cast<float>(0.5 - (std::hypot(i + 0.5 - x, j + 0.5 - y) - radius) / 256));
  return map;
}

// The field that is enlarged, at a point of the frame.
double field(const Map& map, double x, double y, int width, int height) {
  const auto inside = [](int k, int n) { return std::min(std::max(k, 0), n - 1); };
  const double u = x * map.width / width - 0.5, v = y * map.height / height - 0.5;
  const int left = static_cast<int>(std::floor(u)), top = static_cast<int>(std::floor(v));
  double sum = 0;
  for (int j : {0, 1})
    for (int i : {0, 1}) {
      const double weight = (i == 0 ? left + 1 - u : u - left) * (j == 0 ? top + 1 - v : v - top);
      sum += weight * static_cast<double>(map.values[static_cast<std::size_t>(
                          inside(top + j, map.height) * map.width + inside(left + i, map.width))]);
    }
  return sum;
}

double length(const std::vector<Segment>& segments) {
  double sum = 0;
  for (const Segment& s : segments) sum += std::hypot(s.b.x - s.a.x, s.b.y - s.a.y);
  return sum;
}

// Coverage of the whole frame in pixels, summed row by row.
double area(Contour& contour) {
  double sum = 0;
  for (int y = contour.rows().first; y < contour.rows().last; ++y) {
    const std::uint8_t* row = contour.row(y);
    for (const Run& run : contour.runs())
      for (int x = run.first; x < run.last; ++x) sum += row[x] / 255.0;
  }
  return sum;
}

}  // namespace

START_TEST(test_level_line_of_a_disc_is_within_half_a_pixel_of_the_circle) {
  std::vector<Segment> segments;
  for (const int frame : {128, 1024, 4096}) {
    const double scale = frame / 128.0;
    trace_level_line(disc(128, 60.3, 70.7, 40).view(), .5, frame, frame, segments);
    std::vector<bool> seen(72, false);  // in steps of five degrees
    for (const Segment& s : segments)
      for (const Point& p : {s.a, s.b, Point{(s.a.x + s.b.x) / 2, (s.a.y + s.b.y) / 2}}) {
        const double x = p.x - 60.3 * scale, y = p.y - 70.7 * scale;
        ck_assert_double_eq_tol(std::hypot(x, y), 40 * scale, .5);
        seen[static_cast<std::size_t>((std::atan2(y, x) + kPi) / (2 * kPi) * 71.999)] = true;
      }
    ck_assert(std::find(seen.begin(), seen.end(), false) == seen.end());
    ck_assert_double_eq_tol(length(segments) / (2 * kPi * 40 * scale), 1, .005);
  }
}
END_TEST

// Saddles, single pixels, edges and corners: noise has them all.
START_TEST(test_every_point_of_the_line_is_on_the_level) {
  const int sizes[][4] = {{8, 8, 64, 64}, {5, 9, 333, 100}, {30, 2, 64, 200}, {16, 16, 5, 7}};
  std::uint32_t seed = 1;
  for (const auto& size : sizes)
    for (const double level : {.3, .5, .8}) {
      const Map map = noise(size[0], size[1], seed++);
      std::vector<Segment> segments;
      trace_level_line(map.view(), level, size[2], size[3], segments);
      ck_assert(!segments.empty());
      for (const Segment& s : segments)
        for (const Point& p : {s.a, s.b})
          ck_assert_double_eq_tol(field(map, p.x, p.y, size[2], size[3]), level, 1e-6);
    }
}
END_TEST

// The line is all of the mask's outline: where neighbouring pixels differ it passes between them.
START_TEST(test_line_passes_wherever_the_mask_has_an_edge) {
  const Map map = noise(12, 9, 7);
  std::vector<Segment> segments;
  trace_level_line(map.view(), .5, 240, 180, segments);
  Upsampler upsampler;
  upsampler.configure(map.view(), 240, 180);
  int edges = 0;
  for (int y = 0; y < 180; ++y) {
    const float* row = upsampler.row(y);
    for (int x = 0; x + 1 < 240; ++x) {
      if ((row[x] >= .5f) == (row[x + 1] >= .5f)) continue;
      ++edges;
      const double centre_x = x + 1, centre_y = y + .5;
      const bool met = std::any_of(segments.begin(), segments.end(), [&](const Segment& s) {
        const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, square = dx * dx + dy * dy;
        const double t = ((centre_x - s.a.x) * dx + (centre_y - s.a.y) * dy) / square;
        const double part = square > 0 ? std::min(std::max(t, 0.0), 1.0) : 0;
        return std::hypot(centre_x - s.a.x - part * dx, centre_y - s.a.y - part * dy) < 1;
      });
      ck_assert_msg(met, "no line near (%g, %g)", centre_x, centre_y);
    }
  }
  ck_assert_int_gt(edges, 500);
}
END_TEST

START_TEST(test_line_ends_at_the_frames_edge_and_does_not_follow_it) {
  std::vector<Segment> segments;
  const Map left{2, 1, {1, 0}};  // the left half is lesion
  trace_level_line(left.view(), .5, 100, 60, segments);
  ck_assert_double_eq_tol(length(segments), 60, 1e-9);
  for (const Segment& s : segments) ck_assert_double_eq_tol(s.a.x, 50, 1e-9);
  const Map all{2, 2, {1, 1, 1, 1}};
  trace_level_line(all.view(), .5, 100, 60, segments);
  ck_assert(segments.empty());
}
END_TEST

// Corners .9 .1 / .1 .9 meet in the middle at .5: joined for a level below it, apart above it.
START_TEST(test_saddles_are_joined_by_the_value_in_their_middle) {
  const Map map{2, 2, {.9f, .1f, .1f, .9f}};
  const auto covers_middle = [&](double level) {
    std::vector<Segment> segments;
    trace_level_line(map.view(), level, 100, 100, segments);
    // Across the diagonal between the two high corners there is a line only where they are apart.
    return std::any_of(segments.begin(), segments.end(), [](const Segment& s) {
      const double x = (s.a.x + s.b.x) / 2, y = (s.a.y + s.b.y) / 2;
      return std::fabs(x - y) < 4 && x > 25 && x < 75;
    });
  };
  ck_assert(!covers_middle(.45));
  ck_assert(covers_middle(.55));
}
END_TEST

START_TEST(test_stroke_covers_its_width_times_the_lines_length) {
  const Map map = disc(64, 32, 32, 20);
  for (const double stroke : {1.0, 2.0, 3.0, 5.0, 20.0}) {
    Contour contour;
    contour.trace(map.view(), .5, 640, 640, stroke);
    ck_assert_double_eq_tol(area(contour) / (2 * kPi * 200 * stroke), 1, .01);
  }
}
END_TEST

// Straight from the definition, in double: every pixel against every segment.
START_TEST(test_coverage_is_the_distance_from_the_nearest_segment) {
  std::uint32_t seed = 3;
  for (const double stroke : {1.0, 3.0, 12.0})
    for (const auto& size : {std::pair<int, int>{90, 70}, {7, 40}, {200, 9}}) {
      const int width = size.first, height = size.second;
      const Map map = noise(6, 5, seed++);
      std::vector<Segment> segments;
      trace_level_line(map.view(), .5, width, height, segments);
      Contour contour;
      contour.trace(map.view(), .5, width, height, stroke);
      for (int y = contour.rows().first; y < contour.rows().last; ++y) {
        const std::uint8_t* row = contour.row(y);
        for (int x = 0; x < width; ++x) {
          double nearest = 1e9;
          for (const Segment& s : segments) {
            const double dx = s.b.x - s.a.x, dy = s.b.y - s.a.y, square = dx * dx + dy * dy;
            const double t = ((x + .5 - s.a.x) * dx + (y + .5 - s.a.y) * dy) / square;
            const double part = square > 0 ? std::min(std::max(t, 0.0), 1.0) : 0;
            nearest = std::min(nearest,
                               std::hypot(x + .5 - s.a.x - part * dx, y + .5 - s.a.y - part * dy));
          }
          const double inside = std::min(std::max(stroke / 2 + .5 - nearest, 0.0), 1.0);
          ck_assert_double_eq_tol(row[x], 255 * inside, .51);
        }
      }
    }
}
END_TEST

// Along the row through the centre the stroke is centred on 440 and on 40, and as wide as asked
// for.
START_TEST(test_stroke_is_centred_on_the_line) {
  const Map map = disc(64, 24, 32, 20);
  for (const double stroke : {1.0, 2.0, 4.0, 7.0}) {
    Contour contour;
    contour.trace(map.view(), .5, 640, 640, stroke);
    const std::uint8_t* row = contour.row(320);
    for (const int side : {40, 440}) {
      double sum = 0, moment = 0;
      for (int x = side - 20; x < side + 20; ++x) {
        sum += row[x] / 255.0;
        moment += row[x] / 255.0 * (x + .5);
      }
      ck_assert_double_eq_tol(sum, stroke, .05);
      ck_assert_double_eq_tol(moment / sum, side, .25);
    }
  }
}
END_TEST

START_TEST(test_coverage_is_zero_outside_the_rows_and_columns_it_names) {
  const Map map = disc(32, 16, 10, 5);
  Contour contour;
  contour.trace(map.view(), .5, 320, 320, 3);
  ck_assert_int_ge(contour.rows().first, 45);
  ck_assert_int_le(contour.rows().first, 48);
  ck_assert_int_ge(contour.rows().last, 152);
  ck_assert_int_le(contour.rows().last, 155);
  for (int y = 0; y < 320; ++y) {
    const std::uint8_t* row = contour.row(y);
    std::vector<bool> named(320, false);
    int last = -1;
    for (const Run& run : contour.runs()) {
      ck_assert_int_lt(last, run.first);
      last = run.last;
      for (int x = run.first; x < run.last; ++x) named[static_cast<std::size_t>(x)] = true;
    }
    for (int x = 0; x < 320; ++x) {
      const double off = std::fabs(std::hypot(x + .5 - 160, y + .5 - 100) - 50);
      if (off > 2.5 || !named[static_cast<std::size_t>(x)]) ck_assert_int_eq(row[x], 0);
      if (off < .5) ck_assert_int_eq(row[x], 255);
    }
  }
}
END_TEST

START_TEST(test_strokes_larger_than_the_frame_cover_it) {
  const Map map{2, 1, {1, 0}};
  Contour contour;
  contour.trace(map.view(), .5, 6, 4, 4e9);
  ck_assert_int_eq(contour.rows().first, 0);
  ck_assert_int_eq(contour.rows().last, 4);
  ck_assert_double_eq_tol(area(contour), 24, 1e-9);
}
END_TEST

int main() {
  Suite* suite = suite_create("contour");
  TCase* tests = tcase_create("contour");
  tcase_add_test(tests, test_level_line_of_a_disc_is_within_half_a_pixel_of_the_circle);
  tcase_add_test(tests, test_every_point_of_the_line_is_on_the_level);
  tcase_add_test(tests, test_line_passes_wherever_the_mask_has_an_edge);
  tcase_add_test(tests, test_line_ends_at_the_frames_edge_and_does_not_follow_it);
  tcase_add_test(tests, test_saddles_are_joined_by_the_value_in_their_middle);
  tcase_add_test(tests, test_stroke_covers_its_width_times_the_lines_length);
  tcase_add_test(tests, test_coverage_is_the_distance_from_the_nearest_segment);
  tcase_add_test(tests, test_stroke_is_centred_on_the_line);
  tcase_add_test(tests, test_coverage_is_zero_outside_the_rows_and_columns_it_names);
  tcase_add_test(tests, test_strokes_larger_than_the_frame_cover_it);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
