// SPDX-License-Identifier: MIT
// Drawing: hand-computed pixels for each format, masks against a naive reference, and what must
// stay as it was.
#include "model/frame/painter.h"

#include "model/error.h"
#include "model/frame/sampler.h"

#include "tests/check.h"
#include "tests/model/frames.h"
#include "tests/model/memory_limit.h"

using namespace unetseg;

namespace {

struct Map {
  int width, height;
  std::vector<float> values;
  ProbabilityView view() const { return {values.data(), width, height}; }
};

Map uniform(float value) {
  return {1, 1, {value}};
}

// As large as the frame, so that the mask is what is written down.
Map only(int width, int height, const std::vector<std::pair<int, int>>& pixels) {
  Map map{width, height, std::vector<float>(static_cast<std::size_t>(width * height), 0)};
  for (const auto& p : pixels) map.values[static_cast<std::size_t>(p.second * width + p.first)] = 1;
  return map;
}

// A disc whose probability falls evenly with the distance from its rim, in map pixels.
Map disc(int size, double x, double y, double radius) {
  Map map{size, size, {}};
  for (int j = 0; j < size; ++j)
    for (int i = 0; i < size; ++i) {
      const double outside = std::hypot(i + 0.5 - x, j + 0.5 - y) - radius;
      map.values.push_back(static_cast<float>(std::min(std::max(0.5 - outside / 16, 0.0), 1.0)));
    }
  return map;
}

UnetsegStyle overlay(guint32 color, double opacity, guint32 contour_color = 0,
                     guint contour_width = 0) {
  return {UNETSEG_DRAW_OVERLAY, 0.5, color, opacity, contour_color, contour_width};
}

UnetsegStyle mode(UnetsegDrawMode mode) {
  return {mode, 0.5, 0xffffffff, 1, 0xffffffff, 3};
}

void draw(const Map& map, TestFrame& frame, const UnetsegStyle& style) {
  Painter().draw(map.view(), frame.view(), style);
}

// The definition of blending.
int blended(int from, int to, int alpha) {
  return (from * (255 - alpha) + to * alpha + 127) / 255;
}

}  // namespace

// Alpha 204 of opacity .5 is 102, two fifths: 200 toward 0 is 120, 100 toward 255 is 162, and 7
// toward 50 is 24.2.
START_TEST(test_c3_every_packed_format_blends_as_computed_by_hand_wherever_it_lies) {
  for (const FormatCase& format : kPackedFormats)
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 3, 2, placement);
      frame.set_bytes([](int, int, int) { return 99; });  // alpha and padding bytes among them
      const int before[] = {200, 100, 7}, after[] = {120, 162, 24};
      for (int c = 0; c < 3; ++c) frame.set_all(c, before[c]);
      draw(only(3, 2, {{1, 0}, {2, 1}}), frame, overlay(0xcc00ff32, .5));
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 3; ++x) {
          const bool lesion = x == y + 1;
          for (int c = 0; c < 3; ++c)
            ck_assert_msg(frame.sample(c, x, y) == (lesion ? after : before)[c],
                          "%s: component %d at (%d, %d) is %d", format.name, c, x, y,
                          frame.sample(c, x, y));
          if (format.untouched >= 0)
            ck_assert_int_eq(frame.byte(0, x * format.step + format.untouched, y), 99);
        }
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

// Red has a luma of 76.2; a third of the way from 200 to 76 is 158.7.
START_TEST(test_c3_grey_is_blended_with_the_colours_luma_wherever_it_lies) {
  for (const Placement& placement : kPlacements) {
    TestFrame frame(kGrey, 3, 2, placement);
    frame.set_all(0, 200);
    draw(only(3, 2, {{0, 0}, {2, 1}}), frame, overlay(0xffff0000, 1.0 / 3));
    const int expected[2][3] = {{159, 200, 200}, {200, 200, 159}};
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 3; ++x) ck_assert_int_eq(frame.sample(0, x, y), expected[y][x]);
    ck_assert(frame.canaries_intact());
  }
}
END_TEST

// Pure red is (81, 90, 240) in BT.601. Chroma samples at (0, 0), (1, 0), (0, 1) and (1, 1) of 3 x 3
// pixels stand for 4, 2, 2 and 1 of them; covered are 1, 1, 0 and 1.
START_TEST(test_c3_chroma_is_blended_by_mean_coverage_wherever_it_lies) {
  for (const FormatCase& format : {kI420, kNv12})
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 3, 3, placement);
      const int before[] = {181, 128, 100}, ink[] = {81, 90, 240};
      for (int c = 0; c < 3; ++c) frame.set_all(c, before[c]);
      draw(only(3, 3, {{1, 0}, {2, 1}, {2, 2}}), frame, overlay(0xffff0000, .8));
      const int luma[3][3] = {{181, 101, 181}, {181, 181, 101}, {181, 181, 101}};
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 3; ++x) ck_assert_int_eq(frame.sample(0, x, y), luma[y][x]);
      const int alpha[2][2] = {{51, 102}, {0, 204}};  // of 204: a quarter, a half, none, all
      for (int c : {1, 2})
        for (int y = 0; y < 2; ++y)
          for (int x = 0; x < 2; ++x)
            ck_assert_int_eq(frame.sample(c, x, y), blended(before[c], ink[c], alpha[y][x]));
      ck_assert_int_eq(frame.sample(1, 0, 0), 120);  // 128 - 38 / 5
      ck_assert_int_eq(frame.sample(2, 0, 0), 128);  // 100 + 140 / 5
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

START_TEST(test_colours_meet_the_frames_matrix_and_range) {
  struct {
    double kr, kb;
    gboolean full_range;
    int yuv[3];
  } const cases[] = {{.299, .114, FALSE, {145, 54, 34}},   {.299, .114, TRUE, {150, 44, 21}},
                     {.2126, .0722, FALSE, {173, 42, 26}}, {.2126, .0722, TRUE, {182, 30, 12}},
                     {.2627, .0593, FALSE, {164, 47, 25}}, {.2627, .0593, TRUE, {173, 36, 11}}};
  for (const auto& c : cases)
    for (const FormatCase& format : {kI420, kNv12}) {
      TestFrame frame(format, 4, 4);
      frame.view().kr = c.kr;
      frame.view().kb = c.kb;
      frame.view().full_range = c.full_range;
      frame.set_noise(1);
      draw(uniform(1), frame, overlay(0xff00ff00, 1));
      for (int i = 0; i < 3; ++i) ck_assert_int_eq(frame.sample(i, 1, 1), c.yuv[i]);
    }
}
END_TEST

START_TEST(test_every_blend_is_rounded_to_the_nearest) {
  TestFrame frame(kGrey, 256, 1);
  for (int alpha = 0; alpha < 256; ++alpha)
    for (const int grey : {0, 1, 127, 254, 255}) {
      frame.set_bytes([](int, int x, int) { return x; });
      const guint32 ink = static_cast<guint32>(alpha) << 24 | static_cast<guint32>(grey) * 0x10101;
      draw(uniform(1), frame, overlay(ink, 1));
      for (int x = 0; x < 256; ++x)
        ck_assert_int_eq(frame.sample(0, x, 0), blended(x, grey, alpha));
    }
}
END_TEST

START_TEST(test_nothing_to_draw_leaves_every_byte_as_it_was) {
  for (const FormatCase& format : all_formats())
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 31, 21, placement);
      frame.set_noise(4);
      const auto before = frame.memory();
      const Map map = disc(16, 8, 8, 5);
      draw(map, frame, overlay(0xffff0000, 0));
      draw(map, frame, overlay(0x00ff0000, 1, 0x00ffffff, 4));
      draw(uniform(.49f), frame, overlay(0xffff0000, 1, 0xffffffff, 4));
      ck_assert(frame.memory() == before);
    }
}
END_TEST

START_TEST(test_pixels_off_the_mask_and_its_contour_stay_as_they_were) {
  for (const FormatCase& format : all_formats()) {
    TestFrame frame(format, 64, 64), before(format, 64, 64);
    frame.set_noise(4);
    before.set_noise(4);
    draw(disc(32, 16, 16, 6), frame, overlay(0xffff0000, .5, 0xffffffff, 3));
    bool changed = false;
    for (int c = 0; c < frame.components(); ++c) {
      const bool half = frame.sample_columns(c) == 32;
      for (int y = 0; y < frame.sample_rows(c); ++y)
        for (int x = 0; x < frame.sample_columns(c); ++x) {
          const double scale = half ? 2 : 1;
          const double from_centre = std::hypot((x + .5) * scale - 32, (y + .5) * scale - 32);
          if (from_centre > 12 + 1.5 + .5 + 2) {
            ck_assert_int_eq(frame.sample(c, x, y), before.sample(c, x, y));
          }
          changed |= frame.sample(c, x, y) != before.sample(c, x, y);
        }
    }
    ck_assert(changed);
  }
}
END_TEST

// Every size and placement against blending pixel by pixel, chroma included.
START_TEST(test_c1_fill_equals_the_naive_blend_on_odd_sizes) {
  const int sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {5, 3}, {64, 48}, {385, 289}};
  std::uint32_t seed = 3;
  for (const FormatCase& format : all_formats())
    for (const auto& size : sizes) {
      const int width = size[0], height = size[1];
      Map map{9, 7, {}};
      for (int i = 0; i < 63; ++i) {
        seed = seed * 1664525u + 1013904223u;
        map.values.push_back(static_cast<float>(seed >> 8) / (1 << 24));
      }
      TestFrame frame(format, width, height, kPlacements[seed % 4]);
      frame.set_noise(seed);
      TestFrame expected = frame;
      Upsampler upsampler;
      upsampler.configure(map.view(), width, height);
      std::vector<std::uint8_t> mask(static_cast<std::size_t>(width * height));
      mask_from_probabilities(upsampler, .5, mask.data(), width);
      const int rgb[] = {81, 90, 240};  // red; as RGB its components are given below
      for (int c = 0; c < frame.components(); ++c) {
        const int step = frame.sample_columns(c) == width && frame.sample_rows(c) == height ? 1 : 2;
        const int ink = frame.is_yuv() ? rgb[c] : frame.components() == 1 ? 76 : c == 0 ? 255 : 0;
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x) {
            int covered = 0, pixels = 0;
            for (int v = y * step; v < std::min(height, (y + 1) * step); ++v)
              for (int u = x * step; u < std::min(width, (x + 1) * step); ++u, ++pixels)
                covered += mask[static_cast<std::size_t>(v * width + u)] != 0;
            const int alpha = (128 * covered + pixels / 2) / pixels;
            expected.sample(c, x, y) =
                static_cast<std::uint8_t>(blended(expected.sample(c, x, y), ink, alpha));
          }
      }
      draw(map, frame, overlay(0x80ff0000, 1));
      ck_assert_msg(frame.memory() == expected.memory(), "%s %dx%d", format.name, width, height);
    }
}
END_TEST

START_TEST(test_contour_lies_over_the_fill) {
  TestFrame frame(kGrey, 40, 40);
  frame.set_all(0, 0);
  draw(disc(20, 10, 10, 6), frame, overlay(0xff646464, 1, 0xffffffff, 4));
  ck_assert_int_eq(frame.sample(0, 20, 20), 100);  // inside
  ck_assert_int_eq(frame.sample(0, 32, 20), 255);  // on the rim, at 32
  ck_assert_int_eq(frame.sample(0, 31, 20), 255);
  ck_assert_int_eq(frame.sample(0, 38, 20), 0);
}
END_TEST

// Two columns, 1 and 0, over 8 pixels: the level line is at 4. A stroke of 2 covers pixels 3 and 4,
// one of 3 also half of 2 and 5.
START_TEST(test_contour_pixels_of_a_straight_edge_are_as_computed_by_hand) {
  const Map map{2, 1, {1, 0}};
  for (const FormatCase& format : all_formats()) {
    TestFrame frame(format, 8, 6);
    frame.set_bytes([](int, int, int) { return 0; });
    draw(map, frame, overlay(0, 0, 0xffffffff, 2));
    const int luma = frame.is_yuv() ? 235 : 255;
    const int expected[] = {0, 0, 0, luma, luma, 0, 0, 0};
    for (int x = 0; x < 8; ++x) ck_assert_int_eq(frame.sample(0, x, 3), expected[x]);
    if (frame.is_yuv()) {
      const int chroma[] = {0, 64, 64, 0};  // half covered: 128 of 255 toward 128
      for (int c : {1, 2})
        for (int x = 0; x < 4; ++x) ck_assert_int_eq(frame.sample(c, x, 1), chroma[x]);
    }

    frame.set_bytes([](int, int, int) { return 0; });
    draw(map, frame, overlay(0, 0, 0xffffffff, 3));
    const int half = blended(0, luma, 128);
    const int wider[] = {0, 0, half, luma, luma, half, 0, 0};
    for (int x = 0; x < 8; ++x) ck_assert_int_eq(frame.sample(0, x, 3), wider[x]);
  }
}
END_TEST

// Drawn in white on black, the grey frame shows the stroke's coverage; the other formats must have
// blended by it, chroma by its mean.
START_TEST(test_c1_contour_is_blended_by_its_coverage_in_every_format_and_odd_size) {
  const Map map{3, 2, {.1f, .8f, .3f, .6f, .9f, .7f}};
  for (const auto& size : {std::pair<int, int>{1, 1}, {9, 5}, {40, 31}, {31, 40}, {64, 48}}) {
    const int width = size.first, height = size.second;
    TestFrame coverage(kGrey, width, height);
    coverage.set_all(0, 0);
    draw(map, coverage, overlay(0, 0, 0xffffffff, 3));
    for (const FormatCase& format : all_formats()) {
      TestFrame frame(format, width, height, kPlacements[3]);
      frame.set_noise(6);
      TestFrame expected = frame;
      const int yuv[] = {41, 240, 110};  // blue
      for (int c = 0; c < frame.components(); ++c) {
        const int step = frame.is_yuv() && c > 0 ? 2 : 1;
        const int ink = frame.is_yuv() ? yuv[c] : frame.components() == 1 ? 29 : c == 2 ? 255 : 0;
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x) {
            int sum = 0, pixels = 0;
            for (int v = y * step; v < std::min(height, (y + 1) * step); ++v)
              for (int u = x * step; u < std::min(width, (x + 1) * step); ++u, ++pixels)
                sum += coverage.sample(0, u, v);
            const int alpha = ((sum + pixels / 2) / pixels * 200 + 127) / 255;
            expected.sample(c, x, y) =
                static_cast<std::uint8_t>(blended(expected.sample(c, x, y), ink, alpha));
          }
      }
      draw(map, frame, overlay(0, 0, 0xc80000ff, 3));
      ck_assert_msg(frame.memory() == expected.memory(), "%s %dx%d", format.name, width, height);
    }
  }
}
END_TEST

START_TEST(test_mask_mode_writes_every_pixel_and_no_other_byte) {
  const Map map = disc(16, 8, 8, 5);
  for (const Placement& placement : kPlacements) {
    TestFrame frame(kGrey, 65, 33, placement);
    frame.set_noise(1);
    draw(map, frame, mode(UNETSEG_DRAW_MASK));
    Upsampler upsampler;
    upsampler.configure(map.view(), 65, 33);
    int lesion = 0;
    for (int y = 0; y < 33; ++y) {
      const float* row = upsampler.row(y);
      for (int x = 0; x < 65; ++x) {
        ck_assert_int_eq(frame.sample(0, x, y), row[x] >= .5f ? 255 : 0);
        lesion += row[x] >= .5f;
      }
    }
    ck_assert_double_eq_tol(lesion, 3.14159 * 25 * 65 * 33 / 256, 12);
    ck_assert(frame.canaries_intact());
  }
}
END_TEST

START_TEST(test_probability_mode_writes_rounded_probabilities) {
  const Map map{2, 1, {0, 1}};
  for (const Placement& placement : kPlacements) {
    TestFrame frame(kGrey, 4, 3, placement);
    frame.set_noise(1);
    draw(map, frame, mode(UNETSEG_DRAW_PROBABILITY));
    const int expected[] = {0, 64, 191, 255};  // 63.75 and 191.25
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 4; ++x) ck_assert_int_eq(frame.sample(0, x, y), expected[x]);
    ck_assert(frame.canaries_intact());
  }
}
END_TEST

START_TEST(test_threshold_moves_the_mask) {
  const Map map{2, 1, {0, 1}};  // .25 and .75 at the middle two of four pixels
  TestFrame frame(kGrey, 4, 1);
  UnetsegStyle style = mode(UNETSEG_DRAW_MASK);
  const auto lesion = [&](double threshold) {
    style.threshold = threshold;
    draw(map, frame, style);
    int n = 0;
    for (int x = 0; x < 4; ++x) n += frame.sample(0, x, 0) == 255;
    return n;
  };
  ck_assert_int_eq(lesion(0), 4);
  ck_assert_int_eq(lesion(.25), 3);
  ck_assert_int_eq(lesion(.26), 2);
  ck_assert_int_eq(lesion(.76), 1);
  ck_assert_int_eq(lesion(1), 1);
}
END_TEST

// The network's input is usually much larger than these frames.
START_TEST(test_c1_frames_smaller_than_the_map_are_drawn) {
  const Map map = disc(128, 64, 64, 40);
  for (const FormatCase& format : all_formats())
    for (const auto& size : {std::pair<int, int>{1, 1}, {1, 7}, {5, 3}}) {
      TestFrame frame(format, size.first, size.second, kPlacements[1]);
      frame.set_bytes([](int, int, int) { return 0; });
      draw(map, frame, overlay(0xffffffff, 1));
      const int white = frame.is_yuv() ? 235 : 255;
      ck_assert_int_eq(frame.sample(0, size.first / 2, size.second / 2), white);
      draw(map, frame, overlay(0xffffffff, 1, 0xff000000, 1));
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

// One picture, one overlay: what the network would see of it must not depend on the format. Its
// pixels are whole chroma samples here, since inside of one of those colour cannot have an edge.
START_TEST(test_nv12_equals_i420_equals_rgb) {
  TestFrame rgb(kPackedFormats[0], 120, 90), i420(kI420, 120, 90), nv12(kNv12, 120, 90);
  const auto colour = [](int c, double x, double y) {
    return c == 0 ? 150 + x / 2 : c == 1 ? 120 + y / 2 : 90 + (x + y) / 6;
  };
  for (int y = 0; y < 90; ++y)
    for (int x = 0; x < 120; ++x) {
      for (int c = 0; c < 3; ++c)
        rgb.sample(c, x, y) = static_cast<std::uint8_t>(std::lround(colour(c, x, y)));
      // From the definition of BT.601, chroma in the middle of its four pixels.
      const auto luma = [&](double u, double v) {
        return .299 * colour(0, u, v) + .587 * colour(1, u, v) + .114 * colour(2, u, v);
      };
      const double u = x / 2 * 2 + .5, v = y / 2 * 2 + .5;
      const long yuv[] = {std::lround(16 + luma(x, y) * 219 / 255),
                          std::lround(128 + (colour(2, u, v) - luma(u, v)) / 1.772 * 224 / 255),
                          std::lround(128 + (colour(0, u, v) - luma(u, v)) / 1.402 * 224 / 255)};
      for (TestFrame* frame : {&i420, &nv12}) {
        frame->sample(0, x, y) = static_cast<std::uint8_t>(yuv[0]);
        for (int c : {1, 2}) frame->sample(c, x / 2, y / 2) = static_cast<std::uint8_t>(yuv[c]);
      }
    }
  const Map map = disc(32, 15, 17, 9);
  for (const UnetsegStyle& style : {overlay(0xff30d060, .4), overlay(0xff30d060, .4, 0xffffffff, 3),
                                    overlay(0, 0, 0x8000ff00, 6)}) {
    std::vector<float> seen[3];
    TestFrame drawn[] = {rgb, i420, nv12};
    for (int i = 0; i < 3; ++i) {
      draw(map, drawn[i], style);
      seen[i].resize(3 * 20 * 15);
      Sampler(20, 15).sample(drawn[i].view(), seen[i].data());
    }
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < drawn[1].sample_rows(c); ++y)
        for (int x = 0; x < drawn[1].sample_columns(c); ++x)
          ck_assert_int_eq(drawn[1].sample(c, x, y), drawn[2].sample(c, x, y));
    for (std::size_t k = 0; k < seen[0].size(); ++k) {
      ck_assert_float_eq(seen[1][k], seen[2][k]);
      ck_assert_float_eq_tol(seen[0][k], seen[1][k], 2.f / 255);
    }
  }
}
END_TEST

START_TEST(test_c11_one_painter_follows_changes_of_geometry_and_style) {
  Painter painter;
  const Map map = disc(16, 7, 8, 5);
  for (int round = 0; round < 2; ++round)
    for (const FormatCase& format : all_formats())
      for (const auto& size : {std::pair<int, int>{40, 33}, {7, 33}, {7, 50}}) {
        TestFrame frame(format, size.first, size.second);
        frame.set_noise(5);
        TestFrame expected = frame;
        const UnetsegStyle style = overlay(round == 0 ? 0xff00ff00 : 0x80ff00ff, .5, 0xffffff00,
                                           static_cast<guint>(3 + round));
        painter.draw(map.view(), frame.view(), style);
        draw(map, expected, style);
        ck_assert(frame.memory() == expected.memory());
      }
}
END_TEST

START_TEST(test_masks_go_to_grey_frames_only) {
  for (const UnetsegDrawMode m : {UNETSEG_DRAW_MASK, UNETSEG_DRAW_PROBABILITY})
    for (const FormatCase& format : all_formats()) {
      if (format.format == UNETSEG_FORMAT_GRAY8) continue;
      TestFrame frame(format, 4, 4);
      frame.set_noise(1);
      const auto before = frame.memory();
      bool refused = false;
      try {
        draw(uniform(1), frame, mode(m));
      } catch (const Error& e) {
        refused = e.fault() == Fault::frame_format;
      }
      ck_assert(refused);
      ck_assert(frame.memory() == before);
    }
}
END_TEST

START_TEST(test_frames_without_pixels_are_refused) {
  TestFrame frame(kI420, 4, 4);
  UnetsegFrame empty = frame.view(), torn = frame.view();
  empty.width = 0;
  torn.plane[2] = nullptr;
  for (const UnetsegFrame& bad : {empty, torn}) {
    bool refused = false;
    try {
      Painter().draw(uniform(1).view(), bad, overlay(0xffffffff, 1));
    } catch (const Error& e) {
      refused = e.fault() == Fault::frame_format;
    }
    ck_assert(refused);
  }
}
END_TEST

START_TEST(test_c2_memory_that_is_not_to_be_had_is_reported_and_survived) {
  if (!kMemoryCanBeLimited) return;
  TestFrame small(kPackedFormats[2], 1, 1);
  Painter painter;
  const MemoryLimit limit(std::size_t{1} << 30);
  // The narrower one has room for the mask's row and not for the planes' rows.
  for (const int width : {1 << 30, 1 << 26}) {
    UnetsegFrame huge = small.view();
    huge.width = width;
    bool reported = false;
    try {
      painter.draw(uniform(0).view(), huge, overlay(0xffffffff, 1, 0xffffffff, 2));
    } catch (const Error& e) {
      reported = e.fault() == Fault::no_space;
    }
    ck_assert(reported);
  }
  small.set_all(0, 0);
  painter.draw(uniform(1).view(), small.view(), overlay(0xffffffff, 1));
  ck_assert_int_eq(small.sample(0, 0, 0), 255);
}
END_TEST

int main() {
  Suite* suite = suite_create("painter");
  TCase* tests = tcase_create("painter");
  tcase_add_test(tests, test_c3_every_packed_format_blends_as_computed_by_hand_wherever_it_lies);
  tcase_add_test(tests, test_c3_grey_is_blended_with_the_colours_luma_wherever_it_lies);
  tcase_add_test(tests, test_c3_chroma_is_blended_by_mean_coverage_wherever_it_lies);
  tcase_add_test(tests, test_colours_meet_the_frames_matrix_and_range);
  tcase_add_test(tests, test_every_blend_is_rounded_to_the_nearest);
  tcase_add_test(tests, test_nothing_to_draw_leaves_every_byte_as_it_was);
  tcase_add_test(tests, test_pixels_off_the_mask_and_its_contour_stay_as_they_were);
  tcase_add_test(tests, test_c1_fill_equals_the_naive_blend_on_odd_sizes);
  tcase_add_test(tests, test_contour_lies_over_the_fill);
  tcase_add_test(tests, test_contour_pixels_of_a_straight_edge_are_as_computed_by_hand);
  tcase_add_test(tests, test_c1_contour_is_blended_by_its_coverage_in_every_format_and_odd_size);
  tcase_add_test(tests, test_mask_mode_writes_every_pixel_and_no_other_byte);
  tcase_add_test(tests, test_probability_mode_writes_rounded_probabilities);
  tcase_add_test(tests, test_threshold_moves_the_mask);
  tcase_add_test(tests, test_c1_frames_smaller_than_the_map_are_drawn);
  tcase_add_test(tests, test_nv12_equals_i420_equals_rgb);
  tcase_add_test(tests, test_c11_one_painter_follows_changes_of_geometry_and_style);
  tcase_add_test(tests, test_masks_go_to_grey_frames_only);
  tcase_add_test(tests, test_frames_without_pixels_are_refused);
  tcase_add_test(tests, test_c2_memory_that_is_not_to_be_had_is_reported_and_survived);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
