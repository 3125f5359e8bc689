// SPDX-License-Identifier: MIT
// Sampling: hand-computed pixels for each format, and what a sampler must follow and refuse.
#include "model/frame/sampler.h"

#include "model/error.h"

#include "tests/check.h"
#include "tests/model/frames.h"
#include "tests/model/memory_limit.h"
#include "tests/model/sampled_picture.h"

using namespace unetseg;

// 4 x 2 pixels to 2 x 1: each output pixel is the mean of four, written out below.
START_TEST(test_c3_every_packed_format_gives_hand_computed_means_wherever_it_lies) {
  const int red[2][4] = {{0, 10, 200, 250}, {20, 30, 255, 255}};
  const int green[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  const int blue[2][4] = {{255, 255, 0, 0}, {255, 255, 0, 1}};
  for (const FormatCase& format : kPackedFormats)
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 4, 2, placement);
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 4; ++x) {
          frame.sample(0, x, y) = red[y][x];
          frame.sample(1, x, y) = green[y][x];
          frame.sample(2, x, y) = blue[y][x];
        }
      const auto before = frame.memory();
      const Picture picture = sampled(frame.view(), 2, 1);
      assert_pixel(picture, 0, 0, 15, 3.5, 255, 1e-4, format.name);
      assert_pixel(picture, 1, 0, 240, 5.5, 0.25, 1e-4, format.name);
      ck_assert(frame.memory() == before);
    }
}
END_TEST

START_TEST(test_c3_grey_is_replicated_wherever_it_lies) {
  const int grey[2][4] = {{0, 10, 200, 250}, {20, 30, 255, 255}};
  for (const Placement& placement : kPlacements) {
    TestFrame frame(kGrey, 4, 2, placement);
    frame.set_bytes([&](int, int x, int y) { return grey[y][x]; });
    const Picture picture = sampled(frame.view(), 2, 1);
    assert_pixel(picture, 0, 0, 15, 15, 15, 1e-4, "GRAY8");
    assert_pixel(picture, 1, 0, 240, 240, 240, 1e-4, "GRAY8");
  }
}
END_TEST

// Luma adds to every colour as it is, but for 10 bits of full range, whose highest code is 255.75
// of 8 bits. Chroma 138 and 228 are 10 and 100 above the neutral 128: times 1.772 for blue, 1.402
// for red, and -.344136, -.714136 for green. Where chroma has rows of its own, both are the same.
START_TEST(test_c3_yuv_gives_hand_computed_means_wherever_it_lies) {
  for (const FormatCase& format : kYuvFormats)
    for (const Placement& placement : kPlacements) {
      TestFrame frame(format, 4, 2, placement);
      frame.view().full_range = TRUE;
      const int luma[2][4] = {{90, 110, 80, 80}, {100, 100, 90, 70}};
      const int blue[2] = {138, 128}, red[2] = {128, 228};
      const int scale = format.code_scale();
      for (int y = 0; y < 2; ++y)
        for (int x = 0; x < 4; ++x) {
          frame.sample(0, x, y) = luma[y][x] * scale;
          frame.sample(1, x / format.chroma_x, y / format.chroma_y) = blue[x / 2] * scale;
          frame.sample(2, x / format.chroma_x, y / format.chroma_y) = red[x / 2] * scale;
        }
      const auto before = frame.memory();
      const Picture picture = sampled(frame.view(), 2, 1);
      const double part = format.bits == 10 ? 255 / 255.75 : 1;
      assert_pixel(picture, 0, 0, 100 * part, (100 - 3.44136) * part, 117.72 * part, 1e-3,
                   format.name);
      assert_pixel(picture, 1, 0, 220.2 * part, (80 - 71.4136) * part, 80 * part, 1e-3,
                   format.name);
      ck_assert(frame.memory() == before);
    }
}
END_TEST

// From the definition of the format: 940 and 64 are white and black, 1023 and 0 in full range. The
// codes between those of 8 bits count.
START_TEST(test_ten_bits_are_read_in_full) {
  TestFrame frame(kP010, 2, 2);
  frame.set_all(1, 512);
  frame.set_all(2, 512);
  struct {
    gboolean full_range;
    int code;
    double grey;
  } const cases[] = {{FALSE, 940, 255}, {FALSE, 64, 0}, {FALSE, 283, 63.75}, {FALSE, 284, 64.0411},
                     {TRUE, 1023, 255}, {TRUE, 0, 0},   {TRUE, 341, 85},     {TRUE, 342, 85.2493}};
  for (const auto& c : cases) {
    frame.view().full_range = c.full_range;
    frame.set_all(0, c.code);
    assert_pixel(sampled(frame.view(), 1, 1), 0, 0, c.grey, c.grey, c.grey, 1e-3, "P010_10LE");
  }
}
END_TEST

// Codes of the saturated primaries as the standards tabulate them; codes are rounded, so a colour
// comes back to within two.
START_TEST(test_yuv_matrices_and_ranges_give_known_colours) {
  struct {
    const char* name;
    double kr, kb;
    gboolean full_range;
    int red[3], green[3], blue[3], white, black;
  } const cases[] = {
      {"BT.601", .299, .114, FALSE, {81, 90, 240}, {145, 54, 34}, {41, 240, 110}, 235, 16},
      {"BT.709", .2126, .0722, FALSE, {63, 102, 240}, {173, 42, 26}, {32, 240, 118}, 235, 16},
      {"BT.2020", .2627, .0593, FALSE, {74, 97, 240}, {164, 47, 25}, {29, 240, 119}, 235, 16},
      {"BT.601 full", .299, .114, TRUE, {76, 85, 255}, {150, 44, 21}, {29, 255, 107}, 255, 0},
      {"BT.709 full", .2126, .0722, TRUE, {54, 99, 255}, {182, 30, 12}, {18, 255, 116}, 255, 0},
      {"BT.2020 full", .2627, .0593, TRUE, {67, 92, 255}, {173, 36, 11}, {15, 255, 118}, 255, 0},
  };
  for (const auto& c : cases)
    for (const FormatCase& format : kYuvFormats) {
      const auto assert_colour = [&](const int code[3], int red, int green, int blue) {
        TestFrame frame(format, 6, 6);
        frame.view().kr = c.kr;
        frame.view().kb = c.kb;
        frame.view().full_range = c.full_range;
        for (int i = 0; i < 3; ++i) frame.set_all(i, format.code_for(i, code[i], c.full_range));
        assert_pixel(sampled(frame.view(), 2, 2), 1, 1, red, green, blue, 2, c.name);
      };
      assert_colour(c.red, 255, 0, 0);
      assert_colour(c.green, 0, 255, 0);
      assert_colour(c.blue, 0, 0, 255);
      const int white[] = {c.white, 128, 128}, black[] = {c.black, 128, 128};
      assert_colour(white, 255, 255, 255);
      assert_colour(black, 0, 0, 0);
    }
}
END_TEST

START_TEST(test_colours_out_of_range_are_clamped) {
  TestFrame frame(kI420, 2, 2);
  for (const int code : {0, 255}) {
    frame.set_all(0, code);
    frame.set_all(1, 128);
    frame.set_all(2, 128);
    assert_pixel(sampled(frame.view(), 1, 1), 0, 0, code, code, code, 0, "I420");
  }
}
END_TEST

// Enlarging two columns to four: output centres lie at -.25, .25, .75 and 1.25 source columns.
START_TEST(test_enlarging_is_bilinear_with_clamped_edges) {
  TestFrame frame(kGrey, 2, 1);
  frame.sample(0, 0, 0) = 0;
  frame.sample(0, 1, 0) = 200;
  const Picture picture = sampled(frame.view(), 4, 3);
  const double expected[] = {0, 50, 150, 200};
  for (int y = 0; y < 3; ++y)
    for (int x = 0; x < 4; ++x)
      assert_pixel(picture, x, y, expected[x], expected[x], expected[x], 1e-4, "GRAY8");
}
END_TEST

START_TEST(test_shrinking_weighs_fractions_of_pixels) {
  TestFrame frame(kGrey, 3, 1);
  frame.set_bytes([](int, int x, int) { return 60 * (x + 1); });  // 60 120 180
  const Picture picture = sampled(frame.view(), 2, 1);
  assert_pixel(picture, 0, 0, 80, 80, 80, 1e-4, "GRAY8");     // (60 + 120 / 2) / 1.5
  assert_pixel(picture, 1, 0, 160, 160, 160, 1e-4, "GRAY8");  // (120 / 2 + 180) / 1.5
}
END_TEST

// Four chroma columns 118, 118, 138, 138 over eight luma columns. Between luma columns, the edge is
// at luma 4; on the even ones, half a pixel further left. Chroma that is not subsampled in that
// direction is not sited.
START_TEST(test_chroma_siting_shifts_chroma_by_half_a_luma_pixel) {
  for (const FormatCase& format : kYuvFormats)
    for (const bool vertical : {false, true}) {
      TestFrame frame(format, vertical ? 2 : 8, vertical ? 8 : 2);
      const int scale = format.code_scale();
      const bool subsampled = (vertical ? format.chroma_y : format.chroma_x) == 2;
      frame.set_all(0, 126 * scale);
      frame.set_all(1, 128 * scale);
      for (int y = 0; y < frame.sample_rows(2); ++y)
        for (int x = 0; x < frame.sample_columns(2); ++x)
          frame.sample(2, x, y) =
              scale * ((vertical ? 2 * y < frame.sample_rows(2) : 2 * x < frame.sample_columns(2))
                           ? 118
                           : 138);
      const int width = vertical ? 1 : 2, height = vertical ? 2 : 1;
      const double luma = 110 * 255 / 219., red = 14.02 * 255 / 224, green = 7.14136 * 255 / 224;
      assert_pixel(sampled(frame.view(), width, height), 0, 0, luma - red, luma + green, luma, 1e-3,
                   format.name);
      (vertical ? frame.view().chroma_cosited_y : frame.view().chroma_cosited_x) = TRUE;
      // The output covers [.25, 2.25) of the chroma samples: an eighth of it is the higher one.
      const double part = subsampled ? .75 : 1;
      assert_pixel(sampled(frame.view(), width, height), 0, 0, luma - red * part,
                   luma + green * part, luma, 1e-3, format.name);
    }
}
END_TEST

START_TEST(test_uniform_frames_stay_uniform) {
  for (const FormatCase& format : all_formats())
    for (const int size : {3, 50, 64, 129}) {
      TestFrame frame(format, size, 2 * size + 1);
      frame.view().chroma_cosited_x = TRUE;
      frame.set_bytes([](int, int, int) { return 100; });
      const Picture picture = sampled(frame.view(), 32, 32);
      for (int c = 0; c < 3; ++c)
        for (int y = 0; y < 32; ++y)
          for (int x = 0; x < 32; ++x)
            ck_assert_double_eq_tol(picture.at(c, x, y), picture.at(c, 0, 0), 1e-6);
      if (!frame.is_yuv()) assert_pixel(picture, 0, 0, 100, 100, 100, 1e-4, format.name);
    }
}
END_TEST

START_TEST(test_normalisation_is_applied_to_each_colour) {
  TestFrame frame(kPackedFormats[0], 2, 2);
  frame.set_all(0, 51);
  frame.set_all(1, 102);
  frame.set_all(2, 255);
  Normalisation normalisation;
  normalisation.mean[0] = .5f;
  normalisation.mean[1] = .4f;
  normalisation.mean[2] = .5f;
  normalisation.stddev[0] = .25f;
  normalisation.stddev[1] = .3f;
  normalisation.stddev[2] = 2;
  float out[3];
  Sampler(1, 1, normalisation).sample(frame.view(), out);
  ck_assert_float_eq_tol(out[0], -1.2f, 1e-6);
  ck_assert_float_eq_tol(out[1], 0, 1e-6);
  ck_assert_float_eq_tol(out[2], .25f, 1e-6);
}
END_TEST

START_TEST(test_rgb8_is_the_same_picture_rounded) {
  for (const FormatCase& format : all_formats()) {
    TestFrame frame(format, 37, 53);
    frame.set_noise(3);
    Sampler sampler(16, 9);
    std::vector<float> exact(3 * 16 * 9);
    std::vector<std::uint8_t> rounded(exact.size());
    sampler.sample(frame.view(), exact.data());
    sampler.sample_rgb8(frame.view(), rounded.data());
    for (std::size_t c = 0; c < 3; ++c)
      for (std::size_t i = 0; i < 16 * 9; ++i)
        ck_assert_double_le(std::fabs(rounded[3 * i + c] - 255.0 * exact[c * 16 * 9 + i]), .5001);
  }
}
END_TEST

// From each frame to the next one thing changes.
START_TEST(test_c11_one_sampler_follows_every_change_of_geometry_and_colour) {
  Sampler sampler(8, 8);
  const auto assert_followed = [&sampler](const UnetsegFrame& frame) {
    std::vector<float> out(3 * 8 * 8);
    sampler.sample(frame, out.data());
    ck_assert(out == sampled(frame, 8, 8).planar);
  };
  TestFrame large(kNv12, 40, 42);
  large.set_noise(9);
  UnetsegFrame frame = large.view();
  assert_followed(frame);
  frame.height = 21;
  assert_followed(frame);
  frame.width = 6;
  assert_followed(frame);
  frame.chroma_cosited_x = TRUE;
  assert_followed(frame);
  frame.chroma_cosited_y = TRUE;
  assert_followed(frame);
  frame.full_range = TRUE;
  assert_followed(frame);
  frame.kr = .2126;
  assert_followed(frame);
  frame.kb = .0722;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_P010_10LE;  // of fewer pixels, in the same memory
  frame.width = 3;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_YUY2;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_UYVY;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_GRAY8;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_RGB;
  assert_followed(frame);
  frame.format = UNETSEG_FORMAT_BGR;
  assert_followed(frame);
}
END_TEST

START_TEST(test_frames_that_cannot_be_sampled_are_refused) {
  const auto assert_refused = [](const UnetsegFrame& frame) {
    float out[3];
    try {
      Sampler(1, 1).sample(frame, out);
    } catch (const Error& e) {
      ck_assert(e.fault() == Fault::frame_format);
      return;
    }
    ck_abort_msg("not refused");
  };
  TestFrame frame(kNv12, 4, 4);
  UnetsegFrame bad = frame.view();
  bad.width = 0;
  assert_refused(bad);
  bad = frame.view();
  bad.height = -4;
  assert_refused(bad);
  bad = frame.view();
  bad.plane[1] = nullptr;
  assert_refused(bad);
  bad = frame.view();
  bad.format = static_cast<UnetsegFormat>(UNETSEG_FORMAT_P010_10LE + 1);
  assert_refused(bad);
  bad = frame.view();
  bad.kr = bad.kb = 0;
  assert_refused(bad);
  bad.kr = bad.kb = .5;
  assert_refused(bad);
}
END_TEST

START_TEST(test_c2_memory_that_is_not_to_be_had_is_reported_and_survived) {
  if (!kMemoryCanBeLimited) return;
  TestFrame small(kPackedFormats[0], 1, 1);
  small.set_bytes([](int, int, int) { return 255; });
  UnetsegFrame huge = small.view();
  huge.width = 1 << 30;
  Sampler sampler(1, 1);
  float out[3] = {};
  bool reported = false;
  const MemoryLimit limit(std::size_t{1} << 30);
  try {
    sampler.sample(huge, out);
  } catch (const Error& e) {
    reported = e.fault() == Fault::no_space;
  }
  ck_assert(reported);
  sampler.sample(small.view(), out);
  ck_assert_float_eq(out[2], 1);
}
END_TEST

int main() {
  Suite* suite = suite_create("sampler");
  TCase* tests = tcase_create("sampler");
  tcase_add_test(tests, test_c3_every_packed_format_gives_hand_computed_means_wherever_it_lies);
  tcase_add_test(tests, test_c3_grey_is_replicated_wherever_it_lies);
  tcase_add_test(tests, test_c3_yuv_gives_hand_computed_means_wherever_it_lies);
  tcase_add_test(tests, test_ten_bits_are_read_in_full);
  tcase_add_test(tests, test_yuv_matrices_and_ranges_give_known_colours);
  tcase_add_test(tests, test_colours_out_of_range_are_clamped);
  tcase_add_test(tests, test_enlarging_is_bilinear_with_clamped_edges);
  tcase_add_test(tests, test_shrinking_weighs_fractions_of_pixels);
  tcase_add_test(tests, test_chroma_siting_shifts_chroma_by_half_a_luma_pixel);
  tcase_add_test(tests, test_uniform_frames_stay_uniform);
  tcase_add_test(tests, test_normalisation_is_applied_to_each_colour);
  tcase_add_test(tests, test_rgb8_is_the_same_picture_rounded);
  tcase_add_test(tests, test_c11_one_sampler_follows_every_change_of_geometry_and_colour);
  tcase_add_test(tests, test_frames_that_cannot_be_sampled_are_refused);
  tcase_add_test(tests, test_c2_memory_that_is_not_to_be_had_is_reported_and_survived);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
