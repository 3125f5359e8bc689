// SPDX-License-Identifier: MIT
// Drawing: hand-computed pixels for each format, and what must stay as it was.
#include "model/frame/painter.h"

#include "model/error.h"

#include "tests/check.h"
#include "tests/model/drawing.h"
#include "tests/model/frames.h"
#include "tests/model/memory_limit.h"

using namespace unetseg;

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
                          static_cast<int>(frame.sample(c, x, y)));
          if (format.untouched >= 0)
            ck_assert_int_eq(frame.byte(0, x * format.place[0].step + format.untouched, y), 99);
        }
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

// The strongest component is 230; a third of the way from 80 to it is 130.
START_TEST(test_c3_grey_is_blended_with_the_strongest_component_wherever_it_lies) {
  for (const Placement& placement : kPlacements) {
    TestFrame frame(kGrey, 3, 2, placement);
    frame.set_all(0, 80);
    draw(only(3, 2, {{0, 0}, {2, 1}}), frame, overlay(0xff0046e6, 1.0 / 3));
    const int expected[2][3] = {{130, 80, 80}, {80, 80, 130}};
    for (int y = 0; y < 2; ++y)
      for (int x = 0; x < 3; ++x) ck_assert_int_eq(frame.sample(0, x, y), expected[y][x]);
    ck_assert(frame.canaries_intact());
  }
}
END_TEST

// Pure red is (81, 90, 240) in BT.601. The mask's pixels in 3 x 3; alpha 204 for each, and for
// chroma the part of it by which the sample's pixels are covered: an edge's samples have fewer
// pixels.
START_TEST(test_c3_chroma_is_blended_by_mean_coverage_wherever_it_lies) {
  const int quarters[2][2] = {{51, 102}, {0, 204}};         // 1 of 4, 1 of 2; 0 of 2, 1 of 1
  const int halves[3][2] = {{102, 0}, {0, 204}, {0, 204}};  // 1 of 2, 0 of 1; 0, 1 of 1; ...
  const int whole[3][3] = {{0, 204, 0}, {0, 0, 204}, {0, 0, 204}};  // each pixel has its own
  for (const FormatCase& format : kYuvFormats)
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 3, 3, placement);
      const int before[] = {181, 128, 100}, ink[] = {81, 90, 240};
      const int scale = format.code_scale();
      for (int c = 0; c < 3; ++c) frame.set_all(c, before[c] * scale);
      draw(only(3, 3, {{1, 0}, {2, 1}, {2, 2}}), frame, overlay(0xffff0000, .8));
      for (int c = 0; c < 3; ++c)
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x) {
            const int alpha = frame.pixels_x(c) == 1   ? whole[y][x]
                              : frame.pixels_y(c) == 1 ? halves[y][x]
                                                       : quarters[y][x];
            // 10-bit ink is computed from the colour; red's happens to be 326, 361 and 960.
            const int ten_bits[] = {326, 361, 960};
            const int to = format.bits == 10 ? ten_bits[c] : ink[c];
            ck_assert_msg(frame.sample(c, x, y) == blended(before[c] * scale, to, alpha),
                          "%s: component %d at (%d, %d) is %d", format.name, c, x, y,
                          static_cast<int>(frame.sample(c, x, y)));
          }
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

// The same by hand, so that the numbers above are not taken on trust.
START_TEST(test_chroma_of_a_quarter_moves_by_a_quarter) {
  TestFrame frame(kNv12, 2, 2);
  const int before[] = {181, 128, 100};
  for (int c = 0; c < 3; ++c) frame.set_all(c, before[c]);
  draw(only(2, 2, {{1, 0}}), frame, overlay(0xffff0000, .8));
  ck_assert_int_eq(frame.sample(0, 0, 0), 181);
  ck_assert_int_eq(frame.sample(0, 1, 0), 101);  // 181 - 100 * .8
  ck_assert_int_eq(frame.sample(1, 0, 0), 120);  // 128 - 38 / 5
  ck_assert_int_eq(frame.sample(2, 0, 0), 128);  // 100 + 140 / 5
}
END_TEST

// A macropixel holds two pixels; in an odd width's last one the second is beyond the frame.
START_TEST(test_packed_422_keeps_the_byte_beyond_an_odd_width) {
  for (const FormatCase* format : {&kYuy2, &kUyvy})
    for (const int width : {1, 3, 9}) {
      TestFrame frame(*format, width, 2);
      frame.set_noise(8);
      const int beyond = frame.row_bytes(0) - (format == &kYuy2 ? 2 : 1);
      const int before[] = {frame.byte(0, beyond, 0), frame.byte(0, beyond, 1)};
      draw(uniform(1), frame, overlay(0xffffffff, 1, 0xff00ff00, 3));
      for (int y = 0; y < 2; ++y) ck_assert_int_eq(frame.byte(0, beyond, y), before[y]);
      ck_assert_int_eq(frame.sample(0, width - 1, 1), 235);
    }
}
END_TEST

START_TEST(test_colours_meet_the_frames_matrix_and_range) {
  struct {
    double kr, kb;
    gboolean full_range;
    int yuv[3], ten_bits[3];
  } const cases[] = {
      {.299, .114, FALSE, {145, 54, 34}, {578, 215, 137}},
      {.299, .114, TRUE, {150, 44, 21}, {601, 173, 84}},
      {.2126, .0722, FALSE, {173, 42, 26}, {691, 167, 105}},
      {.2126, .0722, TRUE, {182, 30, 12}, {732, 118, 47}},
      {.2627, .0593, FALSE, {164, 47, 25}, {658, 189, 100}},
      {.2627, .0593, TRUE, {173, 36, 11}, {694, 143, 42}},
  };
  for (const auto& c : cases)
    for (const FormatCase& format : kYuvFormats) {
      TestFrame frame(format, 4, 4);
      frame.view().kr = c.kr;
      frame.view().kb = c.kb;
      frame.view().full_range = c.full_range;
      frame.set_noise(1);
      draw(uniform(1), frame, overlay(0xff00ff00, 1));
      for (int i = 0; i < 3; ++i)
        ck_assert_int_eq(frame.sample(i, 1, 1), (format.bits == 10 ? c.ten_bits : c.yuv)[i]);
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
      const double across = frame.pixels_x(c), down = frame.pixels_y(c);
      for (int y = 0; y < frame.sample_rows(c); ++y)
        for (int x = 0; x < frame.sample_columns(c); ++x) {
          const double from_centre = std::hypot((x + .5) * across - 32, (y + .5) * down - 32);
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
    const int scale = format.code_scale(), luma = scale * (frame.is_yuv() ? 235 : 255);
    const int expected[] = {0, 0, 0, luma, luma, 0, 0, 0};
    for (int x = 0; x < 8; ++x) ck_assert_int_eq(frame.sample(0, x, 3), expected[x]);
    if (frame.is_yuv() && format.chroma_x == 2) {
      const int half = blended(0, 128 * scale, 128);  // of 255: half covered
      const int chroma[] = {0, half, half, 0};
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

START_TEST(test_alpha_mode_writes_rounded_probabilities_to_alpha_alone) {
  const Map map{2, 1, {0, 1}};
  for (const FormatCase& format : alpha_formats())
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 4, 3, placement);
      frame.set_noise(1);
      TestFrame expected = frame;
      const int alpha[] = {0, 64, 191, 255};  // 63.75 and 191.25
      for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 4; ++x)
          expected.byte(0, 4 * x + format.untouched, y) = static_cast<std::uint8_t>(alpha[x]);
      draw(map, frame, mode(UNETSEG_DRAW_ALPHA));
      ck_assert_msg(frame.memory() == expected.memory(), "%s", format.name);
    }
}
END_TEST

START_TEST(test_c1_alpha_of_odd_sizes_is_the_grey_picture_of_the_probabilities) {
  const Map map = disc(16, 7, 8, 5);
  Painter painter;
  for (const FormatCase& format : alpha_formats())
    for (const auto& size : {std::pair<int, int>{1, 1}, {1, 7}, {7, 1}, {65, 33}, {5, 50}}) {
      TestFrame grey(kGrey, size.first, size.second);
      draw(map, grey, mode(UNETSEG_DRAW_PROBABILITY));
      TestFrame frame(format, size.first, size.second, kPlacements[3]);
      frame.set_noise(2);
      TestFrame expected = frame;
      for (int y = 0; y < size.second; ++y)
        for (int x = 0; x < size.first; ++x)
          expected.byte(0, 4 * x + format.untouched, y) = grey.byte(0, x, y);
      painter.draw(map.view(), .5, frame.view(), mode(UNETSEG_DRAW_ALPHA));
      ck_assert_msg(frame.memory() == expected.memory(), "%s %dx%d", format.name, size.first,
                    size.second);
    }
}
END_TEST

START_TEST(test_threshold_moves_the_mask) {
  const Map map{2, 1, {0, 1}};  // .25 and .75 at the middle two of four pixels
  TestFrame frame(kGrey, 4, 1);
  const auto lesion = [&](double threshold) {
    draw(map, frame, mode(UNETSEG_DRAW_MASK), threshold);
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
      const int white = format.code_scale() * (frame.is_yuv() ? 235 : 255);
      ck_assert_int_eq(frame.sample(0, size.first / 2, size.second / 2), white);
      draw(map, frame, overlay(0xffffffff, 1, 0xff000000, 1));
      ck_assert(frame.canaries_intact());
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
        painter.draw(map.view(), .5, frame.view(), style);
        draw(map, expected, style);
        ck_assert(frame.memory() == expected.memory());
      }
}
END_TEST

START_TEST(test_masks_go_to_grey_frames_only_and_alpha_to_those_that_have_it) {
  for (const UnetsegDrawMode m : {UNETSEG_DRAW_MASK, UNETSEG_DRAW_PROBABILITY, UNETSEG_DRAW_ALPHA})
    for (const FormatCase& format : all_formats()) {
      const bool has_alpha =
          UNETSEG_FORMAT_RGBA <= format.format && format.format <= UNETSEG_FORMAT_ABGR;
      if (m == UNETSEG_DRAW_ALPHA ? has_alpha : format.format == UNETSEG_FORMAT_GRAY8) continue;
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
      Painter().draw(uniform(1).view(), .5, bad, overlay(0xffffffff, 1));
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
  // The narrower one has room for the mask's row and not for the contour's.
  for (const int width : {1 << 30, 100000000}) {
    UnetsegFrame huge = small.view();
    huge.width = width;
    bool reported = false;
    try {
      painter.draw(uniform(0).view(), .5, huge, overlay(0xffffffff, 1, 0xffffffff, 2));
    } catch (const Error& e) {
      reported = e.fault() == Fault::no_space;
    }
    ck_assert(reported);
  }
  small.set_all(0, 0);
  painter.draw(uniform(1).view(), .5, small.view(), overlay(0xffffffff, 1));
  ck_assert_int_eq(small.sample(0, 0, 0), 255);
}
END_TEST

int main() {
  Suite* suite = suite_create("painter");
  TCase* tests = tcase_create("painter");
  tcase_set_timeout(tests, 60);  // touching a gigabyte takes long on a busy machine
  tcase_add_test(tests, test_c3_every_packed_format_blends_as_computed_by_hand_wherever_it_lies);
  tcase_add_test(tests, test_c3_grey_is_blended_with_the_strongest_component_wherever_it_lies);
  tcase_add_test(tests, test_c3_chroma_is_blended_by_mean_coverage_wherever_it_lies);
  tcase_add_test(tests, test_chroma_of_a_quarter_moves_by_a_quarter);
  tcase_add_test(tests, test_packed_422_keeps_the_byte_beyond_an_odd_width);
  tcase_add_test(tests, test_colours_meet_the_frames_matrix_and_range);
  tcase_add_test(tests, test_nothing_to_draw_leaves_every_byte_as_it_was);
  tcase_add_test(tests, test_pixels_off_the_mask_and_its_contour_stay_as_they_were);
  tcase_add_test(tests, test_contour_lies_over_the_fill);
  tcase_add_test(tests, test_contour_pixels_of_a_straight_edge_are_as_computed_by_hand);
  tcase_add_test(tests, test_mask_mode_writes_every_pixel_and_no_other_byte);
  tcase_add_test(tests, test_probability_mode_writes_rounded_probabilities);
  tcase_add_test(tests, test_alpha_mode_writes_rounded_probabilities_to_alpha_alone);
  tcase_add_test(tests, test_c1_alpha_of_odd_sizes_is_the_grey_picture_of_the_probabilities);
  tcase_add_test(tests, test_threshold_moves_the_mask);
  tcase_add_test(tests, test_c1_frames_smaller_than_the_map_are_drawn);
  tcase_add_test(tests, test_c11_one_painter_follows_changes_of_geometry_and_style);
  tcase_add_test(tests, test_masks_go_to_grey_frames_only_and_alpha_to_those_that_have_it);
  tcase_add_test(tests, test_frames_without_pixels_are_refused);
  tcase_add_test(tests, test_c2_memory_that_is_not_to_be_had_is_reported_and_survived);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
