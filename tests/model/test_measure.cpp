// SPDX-License-Identifier: MIT
// Measurements of shapes whose values are known.
#include "model/measure/measurer.h"

#include "tests/check.h"
#include "tests/model/allocation_watch.h"
#include "tests/model/map.h"
#include "tests/model/shapes.h"

using namespace unetseg;
using namespace shapes;

namespace {

UnetsegMeasurement measure(const Map& map, int width, int height, double threshold = .5) {
  Measurer measurer;
  return measurer.measure(map.view(), map.values.data(), map.values.data(), width, height,
                          threshold);
}

UnetsegMeasurement measure(const Distance& shape, int width, int height) {
  return measure(map_of(shape, width, height), width, height);
}

// Within `share` of `expected`.
void assert_near(const char* what, double value, double expected, double share = .01) {
  ck_assert_msg(std::fabs(value - expected) <= share * std::fabs(expected), "%s: %g instead of %g",
                what, value, expected);
}

void assert_within(const char* what, double value, double expected, double tolerance) {
  ck_assert_msg(std::fabs(value - expected) <= tolerance, "%s: %g instead of %g", what, value,
                expected);
}

// Share of a shape that its mirror image in the horizontal line through `centre_y` leaves alone,
// counted point by point.
double alone_upside_down(const Distance& shape, double centre_y, int width, int height) {
  long inside = 0, alone = 0;
  for (double y = .25; y < height; y += .5)
    for (double x = .25; x < width; x += .5) {
      if (shape(x, y) > 0) continue;
      ++inside;
      if (shape(x, 2 * centre_y - y) > 0) ++alone;
    }
  return static_cast<double>(alone) / static_cast<double>(inside);
}

Map uniform(float value, int size = 16) {
  return {size, size, std::vector<float>(static_cast<std::size_t>(size * size), value)};
}

}  // namespace

START_TEST(test_disc) {
  // Rows of frames: smaller than the map, as large, and larger; one of another shape.
  const int frames[][2] = {{96, 96}, {128, 128}, {640, 480}, {1920, 1080}, {3840, 2160}};
  for (const auto& frame : frames) {
    const double r = frame[1] * .3, x = frame[0] * .45, y = frame[1] * .4;
    const UnetsegMeasurement m = measure(disc(x, y, r), frame[0], frame[1]);
    ck_assert(m.found);
    assert_near("area", m.area, kPi * r * r);
    assert_near("area fraction", m.area_fraction, kPi * r * r / frame[0] / frame[1]);
    assert_near("perimeter", m.perimeter, 2 * kPi * r);
    assert_near("diameter", m.diameter, 2 * r);
    assert_near("border irregularity", m.border_irregularity, 1, .02);
    assert_within("asymmetry", m.asymmetry, 0, .01);
    assert_within("centroid x", m.centroid_x, x, .01 * r);
    assert_within("centroid y", m.centroid_y, y, .01 * r);
    assert_within("left", m.x, x - r, 1 + .01 * r);
    assert_within("top", m.y, y - r, 1 + .01 * r);
    assert_near("width", m.width, 2 * r, .02);
    assert_near("height", m.height, 2 * r, .02);
  }
}
END_TEST

START_TEST(test_ellipse_at_any_angle) {
  for (const double angle : {0.0, .3, kPi / 4, 1.2, kPi / 2, 2.5}) {
    const double a = 180, b = 90, h = (a - b) * (a - b) / ((a + b) * (a + b));
    const double around = kPi * (a + b) * (1 + 3 * h / (10 + std::sqrt(4 - 3 * h)));  // Ramanujan
    const UnetsegMeasurement m = measure(ellipse(320, 240, a, b, angle), 640, 480);
    assert_near("area", m.area, kPi * a * b);
    assert_near("perimeter", m.perimeter, around);
    assert_near("diameter", m.diameter, 2 * a);
    assert_near("border irregularity", m.border_irregularity,
                around * around / (4 * kPi * kPi * a * b), .02);
    assert_within("asymmetry", m.asymmetry, 0, .015);
  }
}
END_TEST

// Symmetric about one axis. Mirrored in the other, through the centroid 4 r / (3 pi) away from the
// straight side, it covers twice what lies between the centroid and twice as far.
START_TEST(test_half_disc) {
  const double r = 200, c = 4 / (3 * kPi);
  const auto strip = [](double y) { return y * std::sqrt(1 - y * y) + std::asin(y); };
  const double alone = 1 - 2 * (strip(2 * c) - strip(c)) / (kPi / 2);
  const Distance shape = [r](double x, double y) {
    return std::max(std::hypot(x - 320, y - 100) - r, 100 - y);
  };
  const UnetsegMeasurement m = measure(shape, 640, 480);
  assert_near("area", m.area, kPi * r * r / 2);
  assert_near("perimeter", m.perimeter, kPi * r + 2 * r, .02);
  assert_near("diameter", m.diameter, 2 * r);
  assert_within("centroid y", m.centroid_y, 100 + c * r, 1);
  assert_within("asymmetry", m.asymmetry, alone / 2, .01);
  ck_assert_double_gt(m.asymmetry, .05);
}
END_TEST

START_TEST(test_square) {
  const UnetsegMeasurement m =
      measure(polygon({{200, 120}, {440, 120}, {440, 360}, {200, 360}}), 640, 480);
  assert_near("area", m.area, 240 * 240);
  assert_near("perimeter", m.perimeter, 4 * 240, .02);
  assert_near("diameter", m.diameter, 240 * std::sqrt(2), .02);
  assert_near("border irregularity", m.border_irregularity, 4 / kPi, .03);
  assert_within("asymmetry", m.asymmetry, 0, .01);
}
END_TEST

START_TEST(test_star) {
  const double outer = 220, inner = 110, angle = 36 * kPi / 180;
  const double side =
      std::sqrt(outer * outer + inner * inner - 2 * outer * inner * std::cos(angle));
  const double area = 5 * outer * inner * std::sin(angle), around = 10 * side;
  const Distance shape = polygon(star(320, 240, outer, inner));
  const UnetsegMeasurement m = measure(map_of(shape, 640, 480, 256), 640, 480);
  assert_near("area", m.area, area, .01);
  assert_near("perimeter", m.perimeter, around, .02);
  assert_near("diameter", m.diameter, 2 * outer * std::sin(2 * angle), .02);
  assert_near("border irregularity", m.border_irregularity, around * around / (4 * kPi * area),
              .04);
  // Without a principal axis: mirrored left to right it covers itself, upside down it does not.
  const double alone = alone_upside_down(shape, 240, 640, 480);
  ck_assert_double_gt(alone, .1);
  assert_within("asymmetry", m.asymmetry, alone / 2, .015);
}
END_TEST

// Its moments are the same in all directions: what little rounding makes of that tells nothing.
START_TEST(test_a_turned_square_is_mirrored_in_the_frames_axes) {
  std::vector<Point> corners;
  for (int i = 0; i < 4; ++i) {
    const double angle = (i * 90 + 55) * kPi / 180;
    corners.push_back({310.3 + 180 * std::cos(angle), 245.7 + 180 * std::sin(angle)});
  }
  const Distance shape = polygon(corners);
  const double alone = alone_upside_down(shape, 245.7, 640, 480);
  ck_assert_double_gt(alone, .1);
  assert_within("asymmetry", measure(shape, 640, 480).asymmetry, alone, .01);
}
END_TEST

START_TEST(test_a_blot_has_a_more_irregular_border_than_a_disc) {
  const Distance blot = [](double x, double y) {
    const double angle = std::atan2(y - 240, x - 320);
    return std::hypot(x - 320, y - 240) - 150 - 30 * std::sin(9 * angle);
  };
  ck_assert_double_gt(measure(blot, 640, 480).border_irregularity, 1.5);
}
END_TEST

START_TEST(test_full_frame) {
  const UnetsegMeasurement m = measure(uniform(.75f), 64, 48);
  ck_assert(m.found);
  ck_assert_double_eq(m.area, 64 * 48);
  ck_assert_double_eq(m.area_fraction, 1);
  ck_assert_int_eq(m.x, 0);
  ck_assert_int_eq(m.y, 0);
  ck_assert_int_eq(m.width, 64);
  ck_assert_int_eq(m.height, 48);
  ck_assert_double_eq_tol(m.centroid_x, 32, 1e-9);
  ck_assert_double_eq_tol(m.centroid_y, 24, 1e-9);
  ck_assert_double_eq_tol(m.perimeter, 2 * (64 + 48), 1e-9);
  ck_assert_double_eq_tol(m.diameter, 80, 1e-9);
  ck_assert_double_eq_tol(m.asymmetry, 0, 1e-9);
  assert_near("border irregularity", m.border_irregularity, 224 * 224 / (4 * kPi * 64 * 48), 1e-9);
  assert_near("confidence", m.confidence, 2 * .75 / 1.75, 1e-6);
}
END_TEST

START_TEST(test_nothing_found) {
  Measurer measurer;
  const Map lesion = uniform(1), none = uniform(.49f);
  ck_assert(measurer.measure(lesion.view(), lesion.values.data(), lesion.values.data(), 32, 32, .5)
                .found);
  const UnetsegMeasurement m =
      measurer.measure(none.view(), none.values.data(), none.values.data(), 32, 32, .5);
  const UnetsegMeasurement zero = {};
  ck_assert(!m.found);
  for (const auto field : {&UnetsegMeasurement::area, &UnetsegMeasurement::area_fraction,
                           &UnetsegMeasurement::centroid_x, &UnetsegMeasurement::centroid_y,
                           &UnetsegMeasurement::perimeter, &UnetsegMeasurement::diameter,
                           &UnetsegMeasurement::asymmetry, &UnetsegMeasurement::border_irregularity,
                           &UnetsegMeasurement::confidence})
    ck_assert_double_eq(m.*field, zero.*field);
  for (const auto field : {&UnetsegMeasurement::x, &UnetsegMeasurement::y,
                           &UnetsegMeasurement::width, &UnetsegMeasurement::height})
    ck_assert_int_eq(m.*field, 0);
}
END_TEST

// A quarter of a disc in each corner, half of one at each edge.
START_TEST(test_a_lesion_that_the_frame_cuts_off_ends_at_its_edge) {
  const double r = 150;
  for (const double x : {0, 320, 640})
    for (const double y : {0, 240, 480}) {
      const bool corner = x != 320 && y != 240, edge = (x != 320) != (y != 240);
      if (!corner && !edge) continue;
      const UnetsegMeasurement m = measure(disc(x, y, r), 640, 480);
      const double part = corner ? .25 : .5;
      assert_near("area", m.area, part * kPi * r * r);
      assert_near("perimeter", m.perimeter, part * 2 * kPi * r + 2 * r);
      assert_near("diameter", m.diameter, corner ? r * std::sqrt(2) : 2 * r);
    }
}
END_TEST

START_TEST(test_regions_and_holes_are_measured_together) {
  const Distance two = [](double x, double y) {
    return std::min(disc(150, 240, 80)(x, y), disc(450, 240, 80)(x, y));
  };
  UnetsegMeasurement m = measure(two, 640, 480);
  assert_near("area", m.area, 2 * kPi * 80 * 80);
  assert_near("perimeter", m.perimeter, 4 * kPi * 80);
  assert_near("diameter", m.diameter, 300 + 2 * 80);
  assert_within("centroid", m.centroid_x, 300, 1);
  const Distance ring = [](double x, double y) {
    return std::max(disc(320, 240, 200)(x, y), -disc(320, 240, 100)(x, y));
  };
  m = measure(ring, 640, 480);
  assert_near("area", m.area, kPi * (200 * 200 - 100 * 100));
  assert_near("perimeter", m.perimeter, 2 * kPi * 300);
  assert_near("diameter", m.diameter, 400);
}
END_TEST

// Lesions of a few pixels, saddles, edges and corners: noise has them all.
START_TEST(test_area_box_and_centroid_are_those_of_the_mask) {
  const int sizes[][4] = {{8, 8, 64, 64},   {5, 9, 333, 100}, {30, 2, 64, 200}, {16, 16, 5, 7},
                          {40, 30, 40, 30}, {3, 3, 1, 1},     {128, 128, 1, 50}};
  std::uint32_t seed = 1;
  for (const auto& size : sizes)
    for (const double level : {0.0, .3, .8, .99}) {
      const Map map = noise(size[0], size[1], seed++);
      const int width = size[2], height = size[3];
      std::vector<std::uint8_t> mask(static_cast<std::size_t>(width * height));
      Upsampler upsampler;
      upsampler.configure(map.view(), width, height);
      mask_from_probabilities(upsampler, level, mask.data(), width);
      double area = 0, x_sum = 0, y_sum = 0;
      int left = width, top = height, right = 0, bottom = 0;
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
          if (mask[static_cast<std::size_t>(y * width + x)] == 0) continue;
          ++area;
          x_sum += x + .5;
          y_sum += y + .5;
          left = std::min(left, x);
          right = std::max(right, x + 1);
          top = std::min(top, y);
          bottom = std::max(bottom, y + 1);
        }
      const UnetsegMeasurement m = measure(map, width, height, level);
      ck_assert_int_eq(m.found, area > 0);
      ck_assert_double_eq(m.area, area);
      if (area == 0) continue;
      ck_assert_int_eq(m.x, left);
      ck_assert_int_eq(m.y, top);
      ck_assert_int_eq(m.x + m.width, right);
      ck_assert_int_eq(m.y + m.height, bottom);
      ck_assert_double_eq_tol(m.centroid_x, x_sum / area, 1e-9);
      ck_assert_double_eq_tol(m.centroid_y, y_sum / area, 1e-9);
      ck_assert_double_ge(m.border_irregularity, 1);
      ck_assert_double_ge(m.asymmetry, 0);
      ck_assert_double_le(m.asymmetry, 1);
      ck_assert_double_ge(m.diameter, 0);
      ck_assert_double_le(m.diameter, std::hypot(width, height) + 1e-9);
    }
}
END_TEST

START_TEST(test_confidence_is_the_dice_to_be_expected) {
  const std::vector<float> network = {1, .9f, .8f, .1f}, cleaned = {1, .9f, .4f, .1f};
  Measurer measurer;
  const auto confidence = [&](const std::vector<float>& shown) {
    return measurer.measure({shown.data(), 4, 1}, shown.data(), network.data(), 40, 10, .5)
        .confidence;
  };
  ck_assert_double_eq_tol(confidence(network), 2 * 2.7 / (3 + 2.8), 1e-6);
  // What was cleaned away, although the network thinks it is lesion, makes it less sure.
  ck_assert_double_eq_tol(confidence(cleaned), 2 * 1.9 / (2 + 2.8), 1e-6);
  // Where the mask has moved to since does not matter.
  const std::vector<float> moved = {.9f, .8f, .1f, .1f};
  const UnetsegMeasurement m =
      measurer.measure({moved.data(), 4, 1}, network.data(), network.data(), 40, 10, .5);
  ck_assert_int_lt(m.x + m.width, 30);
  ck_assert_double_eq(m.confidence, confidence(network));
  const Map sure = uniform(1), unsure = uniform(.5f);
  ck_assert_double_eq_tol(measure(sure, 9, 9).confidence, 1, 1e-9);
  ck_assert_double_eq_tol(measure(unsure, 9, 9).confidence, 2. / 3, 1e-6);
}
END_TEST

START_TEST(test_nothing_is_allocated_for_a_size_seen_before) {
  const Map map = map_of(disc(320, 240, 150), 640, 480);
  Measurer measurer;
  const UnetsegMeasurement first =
      measurer.measure(map.view(), map.values.data(), map.values.data(), 640, 480, .5);
  allocation_watch::largest = 0;
  const UnetsegMeasurement second =
      measurer.measure(map.view(), map.values.data(), map.values.data(), 640, 480, .5);
  ck_assert_uint_eq(allocation_watch::largest, 0);
  ck_assert_double_eq(first.perimeter, second.perimeter);
}
END_TEST

int main() {
  Suite* suite = suite_create("measure");
  TCase* tests = tcase_create("measure");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_disc);
  tcase_add_test(tests, test_ellipse_at_any_angle);
  tcase_add_test(tests, test_half_disc);
  tcase_add_test(tests, test_square);
  tcase_add_test(tests, test_star);
  tcase_add_test(tests, test_a_turned_square_is_mirrored_in_the_frames_axes);
  tcase_add_test(tests, test_a_blot_has_a_more_irregular_border_than_a_disc);
  tcase_add_test(tests, test_full_frame);
  tcase_add_test(tests, test_nothing_found);
  tcase_add_test(tests, test_a_lesion_that_the_frame_cuts_off_ends_at_its_edge);
  tcase_add_test(tests, test_regions_and_holes_are_measured_together);
  tcase_add_test(tests, test_area_box_and_centroid_are_those_of_the_mask);
  tcase_add_test(tests, test_confidence_is_the_dice_to_be_expected);
  tcase_add_test(tests, test_nothing_is_allocated_for_a_size_seen_before);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
