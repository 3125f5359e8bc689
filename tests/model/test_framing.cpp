// SPDX-License-Identifier: MIT
// How frames become the network's input, and how its maps go back onto frames.
#include "model/frame/framing.h"

#include "model/error.h"
#include "model/mask/mask.h"
#include "model/measure/measurer.h"
#include "model/motion/units.h"

#include "tests/check.h"
#include "tests/model/allocation_watch.h"
#include "tests/model/frames.h"
#include "tests/model/map.h"
#include "tests/model/sampled_picture.h"
#include "tests/model/shapes.h"

using namespace unetseg;
using namespace shapes;

namespace {

constexpr UnetsegFit kFits[] = {UNETSEG_FIT_STRETCH, UNETSEG_FIT_LETTERBOX, UNETSEG_FIT_CROP};

UnetsegFrame sized(int width, int height, int par_n = 1, int par_d = 1) {
  UnetsegFrame frame = {};
  frame.format = UNETSEG_FORMAT_GRAY8;
  frame.width = width;
  frame.height = height;
  frame.par_n = par_n;
  frame.par_d = par_d;
  return frame;
}

double pixels(std::int64_t position) {
  return static_cast<double>(position) / kSubpixels;
}

bool is_whole(const FramePart& part) {
  return part.across.first <= 0 && part.across.last >= 1 && part.down.first <= 0 &&
         part.down.last >= 1;
}

ProbabilityView on(const Map& map, const FramePart& part) {
  return {map.values.data(), map.width, map.height, part};
}

// What an enlarged map is at a pixel's centre, straight from the definition.
double naive(const ProbabilityView& map, int x, int y, int width, int height) {
  const auto inside = [](int k, int n) { return std::min(std::max(k, 0), n - 1); };
  const double across = (x + 0.5) / width, down = (y + 0.5) / height;
  const FramePart& part = map.part;
  if (across < part.across.first || across >= part.across.last || down < part.down.first ||
      down >= part.down.last)
    return 0;
  const double u =
      (across - part.across.first) / (part.across.last - part.across.first) * map.width - 0.5;
  const double v = (down - part.down.first) / (part.down.last - part.down.first) * map.height - 0.5;
  const int left = static_cast<int>(std::floor(u)), top = static_cast<int>(std::floor(v));
  double sum = 0;
  for (int j : {0, 1})
    for (int i : {0, 1}) {
      const double weight = (i == 0 ? left + 1 - u : u - left) * (j == 0 ? top + 1 - v : v - top);
      sum += weight *
             static_cast<double>(
                 map.data[inside(top + j, map.height) * map.width + inside(left + i, map.width)]);
    }
  return sum;
}

// Of the middle, of one side, of a corner.
const FramePart kParts[] = {
    {}, {{.21875, .78125}, {}}, {{}, {.1, .7}}, {{.5, 1}, {0, .33}}, {{.3, .31}, {.2, .9}}};

double length(const std::vector<Segment>& segments) {
  double sum = 0;
  for (const Segment& s : segments) sum += std::hypot(s.b.x - s.a.x, s.b.y - s.a.y);
  return sum;
}

}  // namespace

START_TEST(test_letterbox_shows_the_whole_frame_in_its_own_shape) {
  struct {
    int width, height, par_n, par_d, input_width, input_height;
    int x, y, covered_width, covered_height;
  } const cases[] = {
      {1920, 1080, 1, 1, 128, 128, 0, 28, 128, 72}, {1080, 1920, 1, 1, 128, 128, 28, 0, 72, 128},
      {640, 480, 1, 1, 128, 128, 0, 16, 128, 96},   {720, 576, 16, 15, 128, 128, 0, 16, 128, 96},
      {720, 576, 64, 45, 128, 128, 0, 28, 128, 72}, {720, 576, 0, 0, 128, 128, 0, 13, 128, 102},
      {300, 300, 1, 1, 128, 128, 0, 0, 128, 128},   {150, 300, 2, 1, 128, 128, 0, 0, 128, 128},
      {320, 240, 1, 1, 256, 192, 0, 0, 256, 192},   {320, 240, 1, 1, 192, 256, 0, 56, 192, 144},
      {1, 8000, 1, 1, 128, 128, 63, 0, 1, 128},     {8000, 1, 1, 1, 128, 128, 0, 63, 128, 1},
      {1, 1, 1, 1, 128, 128, 0, 0, 128, 128},
  };
  for (const auto& c : cases) {
    const Framing framing = framing_of(sized(c.width, c.height, c.par_n, c.par_d),
                                       UNETSEG_FIT_LETTERBOX, c.input_width, c.input_height);
    ck_assert_msg(framing.x == c.x && framing.y == c.y && framing.width == c.covered_width &&
                      framing.height == c.covered_height,
                  "%dx%d: %d, %d, %dx%d", c.width, c.height, framing.x, framing.y, framing.width,
                  framing.height);
    ck_assert(framing.across == whole_axis(c.width) && framing.down == whole_axis(c.height));
    ck_assert(is_whole(framing.part));
  }
}
END_TEST

START_TEST(test_crop_shows_the_largest_middle_of_the_inputs_shape) {
  struct {
    int width, height, par_n, par_d, input_width, input_height;
    double x, y, cropped_width, cropped_height;
  } const cases[] = {
      {1920, 1080, 1, 1, 128, 128, 420, 0, 1080, 1080},
      {1919, 1080, 1, 1, 128, 128, 419.5, 0, 1080, 1080},
      {1080, 1920, 1, 1, 128, 128, 0, 420, 1080, 1080},
      {720, 576, 16, 15, 128, 128, 90, 0, 540, 576},
      {576, 720, 15, 16, 128, 128, 0, 90, 576, 540},
      {150, 300, 2, 1, 128, 128, 0, 0, 150, 300},
      {1920, 1080, 1, 1, 256, 192, 240, 0, 1440, 1080},
      {100, 33, 1, 1, 32, 32, 33.5, 0, 33, 33},
      // One pixel at least.
      {8000, 1, 1, 1, 256, 32, 3996, 0, 8, 1},
      {8001, 1, 1000, 1, 128, 128, 4000, 0, 1, 1},
      {2, 4000, 8000, 1, 128, 128, .5, 0, 1, 4000},
      {2, 4000, 1, 4000, 128, 128, 0, 1999.5, 2, 1},
  };
  for (const auto& c : cases) {
    const Framing framing = framing_of(sized(c.width, c.height, c.par_n, c.par_d), UNETSEG_FIT_CROP,
                                       c.input_width, c.input_height);
    ck_assert(framing.x == 0 && framing.y == 0 && framing.width == c.input_width &&
              framing.height == c.input_height);
    ck_assert_double_eq_tol(pixels(framing.across.first), c.x, .01);
    ck_assert_double_eq_tol(pixels(framing.across.length), c.cropped_width, .01);
    ck_assert_double_eq_tol(pixels(framing.down.first), c.y, .01);
    ck_assert_double_eq_tol(pixels(framing.down.length), c.cropped_height, .01);
    ck_assert_double_eq_tol(framing.part.across.first * c.width, c.x, .01);
    ck_assert_double_eq_tol(framing.part.down.last * c.height, c.y + c.cropped_height, .01);
  }
}
END_TEST

START_TEST(test_black_beside_a_letterboxed_frame_is_normalised_like_its_pixels) {
  TestFrame frame(kPackedFormats[0], 40, 20);
  for (int c = 0; c < 3; ++c) frame.set_all(c, 255);
  Normalisation normalisation;
  for (int c = 0; c < 3; ++c) {
    normalisation.mean[c] = .5f;
    normalisation.stddev[c] = .25f;
  }
  std::vector<float> out(3 * 16 * 16, 77);
  const Framing framing =
      Sampler(16, 16, normalisation).sample(frame.view(), out.data(), UNETSEG_FIT_LETTERBOX);
  ck_assert(framing.y == 4 && framing.height == 8);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 16; ++x)
        ck_assert_double_eq_tol(
            static_cast<double>(out[static_cast<std::size_t>((c * 16 + y) * 16 + x)]),
            y >= 4 && y < 12 ? 2 : -2, 1e-5);
}
END_TEST

START_TEST(test_one_sampler_follows_changes_of_fit_and_aspect_ratio) {
  TestFrame frame(kNv12, 41, 22);
  frame.set_noise(3);
  Sampler sampler(8, 8);
  for (int round = 0; round < 2; ++round)
    for (const UnetsegFit fit : kFits)
      for (const int par : {0, 1, 3}) {
        frame.view().par_n = par;
        std::vector<float> out(3 * 64), fresh(3 * 64);
        sampler.sample(frame.view(), out.data(), fit);
        Sampler(8, 8).sample(frame.view(), fresh.data(), fit);
        ck_assert(out == fresh);
      }
}
END_TEST

START_TEST(test_only_a_frame_unlike_the_one_before_costs_memory) {
  TestFrame frame(kNv12, 64, 36);
  Sampler sampler(16, 16);
  std::vector<float> out(3 * 256);
  for (const UnetsegFit fit : kFits) {
    sampler.sample(frame.view(), out.data(), fit);
    allocation_watch::largest = 0;
    sampler.sample(frame.view(), out.data(), fit);
    ck_assert_uint_eq(allocation_watch::largest, 0);
  }
}
END_TEST

START_TEST(test_what_shows_the_frame_is_kept_of_a_map) {
  for (const UnetsegFit fit : kFits)
    for (const bool wide : {true, false}) {
      const Framing framing = framing_of(sized(wide ? 40 : 20, wide ? 20 : 40), fit, 8, 8);
      std::vector<float> map;
      for (int i = 0; i < 64; ++i) map.push_back(static_cast<float>(i));
      keep_shown(framing, 8, map.data());
      for (int y = 0; y < framing.height; ++y)
        for (int x = 0; x < framing.width; ++x)
          ck_assert_float_eq(map[static_cast<std::size_t>(y * framing.width + x)],
                             static_cast<float>((framing.y + y) * 8 + framing.x + x));
    }
}
END_TEST

START_TEST(test_a_map_of_a_part_is_enlarged_onto_that_part) {
  const int sizes[][4] = {{4, 4, 37, 29}, {16, 9, 160, 90}, {5, 7, 3, 2}, {3, 3, 1, 1}};
  std::uint32_t seed = 1;
  for (const auto& size : sizes) {
    Upsampler upsampler;  // follows from part to part
    for (const FramePart& part : kParts) {
      const Map map = noise(size[0], size[1], seed++);
      const int width = size[2], height = size[3];
      upsampler.configure(on(map, part), width, height);
      for (int y = height - 1; y >= 0; --y) {
        const float* row = upsampler.row(y);
        for (int x = 0; x < width; ++x)
          ck_assert_double_eq_tol(static_cast<double>(row[x]),
                                  naive(on(map, part), x, y, width, height), 1e-5);
      }
    }
  }
}
END_TEST

// A threshold of 0 is reached by everything, but not where nothing is known.
START_TEST(test_no_run_leaves_the_part) {
  for (const FramePart& part : kParts)
    for (const double threshold : {0.0, .3, .7}) {
      const Map map = noise(16, 9, 5);
      Upsampler upsampler;
      upsampler.configure(on(map, part), 160, 90);
      int first = 0, last = 0;
      upsampler.rows_reaching(threshold, &first, &last);
      ck_assert_int_le(first, last);
      for (int y = 0; y < 90; ++y) {
        std::vector<bool> covered(160, false);
        for (const Run& run : upsampler.runs_reaching(y, threshold))
          for (int x = run.first; x < run.last; ++x) covered[static_cast<std::size_t>(x)] = true;
        for (int x = 0; x < 160; ++x) {
          const double across = (x + .5) / 160, down = (y + .5) / 90;
          const bool is_in = across >= part.across.first && across < part.across.last &&
                             down >= part.down.first && down < part.down.last;
          const double off = naive(on(map, part), x, y, 160, 90) - threshold;
          if (is_in && threshold > 0 && std::fabs(off) < 1e-5) continue;
          const bool expected = is_in && off >= 0;
          ck_assert_msg(covered[static_cast<std::size_t>(x)] == expected, "(%d, %d)", x, y);
          ck_assert(!expected || (y >= first && y < last));
        }
      }
    }
}
END_TEST

// Pixels at the frame's edge belong to it, and are not followed.
START_TEST(test_the_level_line_goes_on_along_a_parts_edge) {
  const Map all{2, 2, {1, 1, 1, 1}}, left{2, 1, {1, 0}};
  std::vector<Segment> segments;
  trace_level_line(on(all, {{.25, .75}, {}}), .5, 100, 60, segments);
  ck_assert_double_eq_tol(length(segments), 120, 1e-9);
  for (const Segment& s : segments) ck_assert(s.a.x == s.b.x && (s.a.x == 25 || s.a.x == 75));
  trace_level_line(on(all, {{}, {.25, 1}}), .5, 100, 60, segments);
  ck_assert_double_eq_tol(length(segments), 100, 1e-9);
  trace_level_line(on(left, {{.25, .75}, {}}), .5, 100, 60, segments);
  ck_assert_double_eq_tol(length(segments), 120, 1e-9);
  for (const Segment& s : segments) ck_assert(s.a.x == 25 || s.a.x == 50);
  trace_level_line(on(left, {{.25, .75}, {.5, 1}}), .5, 100, 60, segments);
  ck_assert_double_eq_tol(length(segments), 30 + 30 + 25, 1e-9);
}
END_TEST

// Whatever the field, a point of the line that is not on the frame's edge has a way to go on.
START_TEST(test_the_level_line_of_a_part_is_closed) {
  for (const FramePart& part : kParts)
    for (const double level : {.3, .5, .8}) {
      const Map map = noise(12, 9, 8);
      std::vector<Segment> segments;
      trace_level_line(on(map, part), level, 240, 180, segments);
      ck_assert(!segments.empty());
      const auto joins = [](const Point& a, const Point& b) {
        return std::fabs(a.x - b.x) < 1e-6 && std::fabs(a.y - b.y) < 1e-6;
      };
      for (const Segment& s : segments)
        for (const Point& end : {s.a, s.b}) {
          if (end.x < 1e-6 || end.y < 1e-6 || end.x > 240 - 1e-6 || end.y > 180 - 1e-6) continue;
          int ends = 0;
          for (const Segment& other : segments) ends += joins(end, other.a) + joins(end, other.b);
          ck_assert_msg(ends % 2 == 0, "a line ends at (%g, %g)", end.x, end.y);
        }
    }
}
END_TEST

START_TEST(test_a_disc_that_a_crop_cuts_is_measured_as_what_is_left_of_it) {
  const double r = 100;
  const Framing framing = framing_of(sized(640, 480), UNETSEG_FIT_CROP, 128, 128);
  // In the cropped part, whose left edge goes through its centre.
  const Map map = map_of(disc(0, 240, r), 480, 480);
  Measurer measurer;
  const UnetsegMeasurement m =
      measurer.measure(on(map, framing.part), map.values.data(), map.values.data(), 640, 480, .5);
  ck_assert(m.found);
  ck_assert_double_eq_tol(m.area, kPi * r * r / 2, .01 * r * r);
  ck_assert_double_eq_tol(m.area_fraction, m.area / (640 * 480), 1e-9);
  ck_assert_int_eq(m.x, 80);
  ck_assert_double_eq_tol(m.width, r, 2);
  ck_assert_double_eq_tol(m.height, 2 * r, 2);
  ck_assert_double_eq_tol(m.centroid_x, 80 + 4 * r / (3 * kPi), 1);
  ck_assert_double_eq_tol(m.perimeter, (kPi + 2) * r, .01 * (kPi + 2) * r);
  ck_assert_double_eq_tol(m.diameter, 2 * r, 2);
  // As half a disc has it, see its own test.
  const auto strip = [](double y) { return y * std::sqrt(1 - y * y) + std::asin(y); };
  const double c = 4 / (3 * kPi), alone = 1 - 2 * (strip(2 * c) - strip(c)) / (kPi / 2);
  ck_assert_double_eq_tol(m.asymmetry, alone / 2, .02);
}
END_TEST

// A movement takes a point to the same place whatever its place is counted in.
START_TEST(test_movements_mean_the_same_in_every_unit) {
  const UnetsegMotion motion = {{.9, -.2, .05, .3, 1.1, -.1}, .5, FALSE};
  for (const UnetsegFit fit : kFits)
    for (const bool wide : {true, false}) {
      const Framing framing = framing_of(sized(wide ? 40 : 20, wide ? 20 : 40), fit, 16, 16);
      for (const Units& units : {map_units(framing), input_units(framing, 16, 16)}) {
        const auto in = [&units](Point p) {
          return Point{units.x + units.scale_x * p.x, units.y + units.scale_y * p.y};
        };
        const auto moved = [](const UnetsegMotion& by, Point p) {
          return Point{by.m[0] * p.x + by.m[1] * p.y + by.m[2],
                       by.m[3] * p.x + by.m[4] * p.y + by.m[5]};
        };
        const UnetsegMotion same = in_units(motion, units);
        const UnetsegMotion back = in_units(same, units.inverse());
        for (const Point& p : {Point{.2, .7}, Point{.5, .5}, Point{1, 0}}) {
          const Point expected = in(moved(motion, p)), got = moved(same, in(p));
          ck_assert_double_eq_tol(got.x, expected.x, 1e-12);
          ck_assert_double_eq_tol(got.y, expected.y, 1e-12);
        }
        for (int i = 0; i < 6; ++i) ck_assert_double_eq_tol(back.m[i], motion.m[i], 1e-12);
        ck_assert_double_eq(same.confidence, .5);
      }
      // The frame's corners are at the edges of what shows it.
      const Units input = input_units(framing, 16, 16);
      const FramePart& part = framing.part;
      ck_assert_double_eq_tol(input.x + input.scale_x * part.across.first, framing.x / 16., 1e-12);
      ck_assert_double_eq_tol(input.y + input.scale_y * part.down.last,
                              (framing.y + framing.height) / 16., 1e-12);
    }
}
END_TEST

// Through the input and back, in every shape: the disc is where it was.
START_TEST(test_a_disc_comes_back_to_where_it_was_sampled) {
  const int frames[][4] = {{320, 180, 1, 1}, {181, 319, 1, 1}, {200, 150, 2, 1}, {150, 150, 0, 0}};
  for (const auto& f : frames)
    for (const UnetsegFit fit : kFits)
      for (const double shift : {-.2, .1}) {
        TestFrame frame(kGrey, f[0], f[1]);
        frame.view().par_n = f[2];
        frame.view().par_d = f[3];
        const double centre_x = (.5 + shift) * f[0], centre_y = (.5 + shift) * f[1];
        const Distance shape = disc(centre_x, centre_y, 40);
        for (int y = 0; y < f[1]; ++y)
          for (int x = 0; x < f[0]; ++x)
            frame.sample(0, x, y) = shape(x + .5, y + .5) < 0 ? 255 : 0;
        std::vector<float> input(3 * 128 * 128);
        const Framing framing = Sampler(128, 128).sample(frame.view(), input.data(), fit);
        keep_shown(framing, 128, input.data());
        Upsampler upsampler;
        upsampler.configure({input.data(), framing.width, framing.height, framing.part}, f[0],
                            f[1]);
        std::vector<std::uint8_t> mask(static_cast<std::size_t>(f[0] * f[1]));
        mask_from_probabilities(upsampler, .5, mask.data(), f[0]);
        int wrong = 0;
        for (int y = 0; y < f[1]; ++y)
          for (int x = 0; x < f[0]; ++x) {
            const double outside = shape(x + .5, y + .5);
            const bool shown = x + .5 >= pixels(framing.across.first) &&
                               x + .5 < pixels(framing.across.first + framing.across.length) &&
                               y + .5 >= pixels(framing.down.first) &&
                               y + .5 < pixels(framing.down.first + framing.down.length);
            if (shown && std::fabs(outside) < 2.5) continue;
            const int expected = shown && outside < 0 ? 255 : 0;
            wrong += mask[static_cast<std::size_t>(y * f[0] + x)] != expected;
          }
        ck_assert_msg(wrong == 0, "%dx%d, fit %d: %d pixels", f[0], f[1], fit, wrong);
      }
}
END_TEST

int main() {
  Suite* suite = suite_create("framing");
  TCase* tests = tcase_create("framing");
  tcase_add_test(tests, test_letterbox_shows_the_whole_frame_in_its_own_shape);
  tcase_add_test(tests, test_crop_shows_the_largest_middle_of_the_inputs_shape);
  tcase_add_test(tests, test_black_beside_a_letterboxed_frame_is_normalised_like_its_pixels);
  tcase_add_test(tests, test_one_sampler_follows_changes_of_fit_and_aspect_ratio);
  tcase_add_test(tests, test_only_a_frame_unlike_the_one_before_costs_memory);
  tcase_add_test(tests, test_what_shows_the_frame_is_kept_of_a_map);
  tcase_add_test(tests, test_a_map_of_a_part_is_enlarged_onto_that_part);
  tcase_add_test(tests, test_no_run_leaves_the_part);
  tcase_add_test(tests, test_the_level_line_goes_on_along_a_parts_edge);
  tcase_add_test(tests, test_the_level_line_of_a_part_is_closed);
  tcase_add_test(tests, test_a_disc_that_a_crop_cuts_is_measured_as_what_is_left_of_it);
  tcase_add_test(tests, test_movements_mean_the_same_in_every_unit);
  tcase_add_test(tests, test_a_disc_comes_back_to_where_it_was_sampled);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
