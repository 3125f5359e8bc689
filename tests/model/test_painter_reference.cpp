// SPDX-License-Identifier: MIT
// Drawing against naive references: each format, at odd sizes, pixel by pixel.
#include "model/frame/painter.h"

#include "model/frame/sampler.h"

#include "tests/check.h"
#include "tests/model/drawing.h"
#include "tests/model/frames.h"

using namespace unetseg;

namespace {

// Codes as they are blended.
struct Colour {
  int rgb[3], grey, yuv[3], ten_bits[3];  // YUV of BT.601, limited range
};
const Colour kRed = {{255, 0, 0}, 255, {81, 90, 240}, {326, 361, 960}};
const Colour kBlue = {{0, 0, 255}, 255, {41, 240, 110}, {164, 960, 439}};

int code_of(const Colour& colour, const TestFrame& frame, int component) {
  if (frame.components() == 1) return colour.grey;
  if (!frame.is_yuv()) return colour.rgb[component];
  return (frame.format().bits == 10 ? colour.ten_bits : colour.yuv)[component];
}

// The mean of coverage(x, y) over a sample's pixels within the frame, rounded.
template <typename Coverage>
int mean_coverage(const TestFrame& frame, int component, int x, int y, Coverage coverage) {
  const int across = frame.pixels_x(component), down = frame.pixels_y(component);
  int sum = 0, pixels = 0;
  for (int v = y * down; v < std::min(frame.view().height, (y + 1) * down); ++v)
    for (int u = x * across; u < std::min(frame.view().width, (x + 1) * across); ++u, ++pixels)
      sum += coverage(u, v);
  return (sum + pixels / 2) / pixels;
}

}  // namespace

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

START_TEST(test_every_blend_of_10_bits_is_rounded_to_the_nearest) {
  TestFrame frame(kP010, 1024, 1);
  frame.view().full_range = TRUE;
  for (int alpha = 0; alpha < 256; ++alpha)
    for (const int grey : {0, 1, 127, 254, 255}) {
      for (int x = 0; x < 1024; ++x) frame.sample(0, x, 0) = x;
      const guint32 ink = static_cast<guint32>(alpha) << 24 | static_cast<guint32>(grey) * 0x10101;
      draw(uniform(1), frame, overlay(ink, 1));
      const int code = static_cast<int>(std::lround(grey * 1023 / 255.));
      int wrong = 0;
      for (int x = 0; x < 1024; ++x)  // the whole word: the other six bits are zero
        wrong += frame.byte(0, 2 * x, 0) + 256 * frame.byte(0, 2 * x + 1, 0) !=
                 64 * blended(x, code, alpha);
      ck_assert_msg(wrong == 0, "alpha %d, grey %d: %d codes", alpha, grey, wrong);
    }
}
END_TEST

// Every size and placement against blending pixel by pixel, chroma included.
START_TEST(test_c1_fill_equals_the_naive_blend_on_odd_sizes) {
  const int sizes[][2] = {{1, 1}, {1, 7}, {7, 1}, {2, 2},   {2, 9},
                          {9, 2}, {8, 8}, {5, 3}, {64, 48}, {385, 289}};
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
      const auto alpha_of = [&](int x, int y) {
        return mask[static_cast<std::size_t>(y * width + x)] != 0 ? 128 : 0;
      };
      for (int c = 0; c < frame.components(); ++c)
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x)
            expected.sample(c, x, y) = blended(expected.sample(c, x, y), code_of(kRed, frame, c),
                                               mean_coverage(frame, c, x, y, alpha_of));
      draw(map, frame, overlay(0x80ff0000, 1));
      ck_assert_msg(frame.memory() == expected.memory(), "%s %dx%d", format.name, width, height);
    }
}
END_TEST

// Drawn in white on black, the grey frame shows the stroke's coverage; the other formats must have
// blended by it, chroma by its mean.
START_TEST(test_c1_contour_is_blended_by_its_coverage_in_every_format_and_odd_size) {
  const Map map{3, 2, {.1f, .8f, .3f, .6f, .9f, .7f}};
  for (const auto& size :
       {std::pair<int, int>{1, 1}, {1, 9}, {9, 1}, {2, 9}, {9, 5}, {40, 31}, {31, 40}, {64, 48}}) {
    const int width = size.first, height = size.second;
    TestFrame coverage(kGrey, width, height);
    coverage.set_all(0, 0);
    draw(map, coverage, overlay(0, 0, 0xffffffff, 3));
    for (const FormatCase& format : all_formats()) {
      TestFrame frame(format, width, height, kPlacements[3]);
      frame.set_noise(6);
      TestFrame expected = frame;
      const auto coverage_of = [&](int x, int y) { return coverage.sample(0, x, y); };
      for (int c = 0; c < frame.components(); ++c)
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x) {
            const int alpha = (mean_coverage(frame, c, x, y, coverage_of) * 200 + 127) / 255;
            expected.sample(c, x, y) =
                blended(expected.sample(c, x, y), code_of(kBlue, frame, c), alpha);
          }
      draw(map, frame, overlay(0, 0, 0xc80000ff, 3));
      ck_assert_msg(frame.memory() == expected.memory(), "%s %dx%d", format.name, width, height);
    }
  }
}
END_TEST

// One picture, one overlay: what the network would see of it must not depend on the format. Its
// pixels are whole chroma samples here, since inside of one of those colour cannot have an edge.
START_TEST(test_every_yuv_format_equals_rgb) {
  const auto colour = [](int c, double x, double y) {
    return c == 0 ? 150 + x / 2 : c == 1 ? 120 + y / 2 : 90 + (x + y) / 6;
  };
  // From the definition of BT.601, in 8-bit codes.
  const auto code = [&colour](int c, double x, double y) {
    const double luma = .299 * colour(0, x, y) + .587 * colour(1, x, y) + .114 * colour(2, x, y);
    return c == 0   ? 16 + luma * 219 / 255
           : c == 1 ? 128 + (colour(2, x, y) - luma) / 1.772 * 224 / 255
                    : 128 + (colour(0, x, y) - luma) / 1.402 * 224 / 255;
  };
  const Map map = disc(32, 15, 17, 9);
  for (const UnetsegStyle& style : {overlay(0xff30d060, .4), overlay(0xff30d060, .4, 0xffffffff, 3),
                                    overlay(0, 0, 0x8000ff00, 6)}) {
    const auto seen = [&](TestFrame& frame) {
      draw(map, frame, style);
      std::vector<float> picture(3 * 20 * 15);
      Sampler(20, 15).sample(frame.view(), picture.data());
      return picture;
    };
    TestFrame rgb(kPackedFormats[0], 120, 90);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 90; ++y)
        for (int x = 0; x < 120; ++x)
          rgb.sample(c, x, y) = static_cast<int>(std::lround(colour(c, x, y)));
    const std::vector<float> expected = seen(rgb);
    for (const FormatCase& format : kYuvFormats) {
      TestFrame frame(format, 120, 90);
      for (int c = 0; c < 3; ++c)
        for (int y = 0; y < frame.sample_rows(c); ++y)
          for (int x = 0; x < frame.sample_columns(c); ++x) {
            // Chroma in the middle of its pixels.
            const double u = (x + .5) * frame.pixels_x(c) - .5;
            const double v = (y + .5) * frame.pixels_y(c) - .5;
            frame.sample(c, x, y) =
                static_cast<int>(std::lround(code(c, u, v) * format.code_scale()));
          }
      const std::vector<float> picture = seen(frame);
      for (std::size_t k = 0; k < expected.size(); ++k)
        ck_assert_msg(std::fabs(picture[k] - expected[k]) < 2.f / 255, "%s: %f instead of %f",
                      format.name, 255 * picture[k], 255 * expected[k]);
    }
  }
}
END_TEST

int main() {
  Suite* suite = suite_create("painter reference");
  TCase* tests = tcase_create("painter reference");
  tcase_set_timeout(tests, 60);  // thousands of blends
  tcase_add_test(tests, test_every_blend_is_rounded_to_the_nearest);
  tcase_add_test(tests, test_every_blend_of_10_bits_is_rounded_to_the_nearest);
  tcase_add_test(tests, test_c1_fill_equals_the_naive_blend_on_odd_sizes);
  tcase_add_test(tests, test_c1_contour_is_blended_by_its_coverage_in_every_format_and_odd_size);
  tcase_add_test(tests, test_every_yuv_format_equals_rgb);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
