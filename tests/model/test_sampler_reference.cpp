// SPDX-License-Identifier: MIT
// Sampling against a naive reference, for each format, at odd sizes.
#include "model/frame/sampler.h"

#include "tests/check.h"
#include "tests/model/frames.h"
#include "tests/model/sampled_picture.h"

using namespace unetseg;

namespace {

// One component sample of the output in 8-bit codes, in double, straight from the definition: the
// mean over the area that the output pixel covers, or bilinear where it covers less than a sample.
double naive_component(TestFrame& frame, const Framing& framing, int component, int x, int y) {
  const int columns = frame.sample_columns(component), rows = frame.sample_rows(component);
  struct Weighted {
    int index;
    double weight;
  };
  const auto axis = [](int i, int out, const Interval& part, int pixels, int samples,
                       bool cosited) {
    const double shift = pixels == 2 && cosited ? 0.25 : 0;
    const double first = static_cast<double>(part.first) / kSubpixels;
    const double size = static_cast<double>(part.length) / kSubpixels;
    const double low = (first + i * size / out) / pixels + shift;
    const double high = (first + (i + 1) * size / out) / pixels + shift;
    std::vector<Weighted> weights;
    const auto clamped = [samples](int k) { return std::min(std::max(k, 0), samples - 1); };
    if (high - low > 1 + 1e-12) {
      for (int k = static_cast<int>(std::floor(low)); k < high; ++k) {
        const double covered = std::min(k + 1.0, high) - std::max<double>(k, low);
        weights.push_back({clamped(k), covered / (high - low)});
      }
    } else {
      const double centre = (low + high) / 2 - 0.5, left = std::floor(centre);
      weights.push_back({clamped(static_cast<int>(left)), 1 - (centre - left)});
      weights.push_back({clamped(static_cast<int>(left) + 1), centre - left});
    }
    return weights;
  };
  const UnetsegFrame& view = frame.view();
  double sum = 0;
  for (const Weighted& row : axis(y, framing.height, framing.down, frame.pixels_y(component), rows,
                                  view.chroma_cosited_y))
    for (const Weighted& column : axis(x, framing.width, framing.across, frame.pixels_x(component),
                                       columns, view.chroma_cosited_x))
      sum += row.weight * column.weight * frame.sample(component, column.index, row.index);
  return sum / frame.format().code_scale();
}

// `yuv` in 8-bit codes.
void naive_rgb(const TestFrame& frame, const double yuv[3], double rgb[3]) {
  const UnetsegFrame& view = frame.view();
  const double kg = 1 - view.kr - view.kb;
  const double highest = frame.format().bits == 10 ? 1023 / 4. : 255;
  const double luma = view.full_range ? yuv[0] * 255 / highest : (yuv[0] - 16) * 255 / 219;
  const double scale = view.full_range ? 255 / highest : 255.0 / 224;
  const double blue_difference = (yuv[1] - 128) * scale * 2 * (1 - view.kb);
  const double red_difference = (yuv[2] - 128) * scale * 2 * (1 - view.kr);
  rgb[0] = luma + red_difference;
  rgb[2] = luma + blue_difference;
  rgb[1] = (luma - view.kr * rgb[0] - view.kb * rgb[2]) / kg;
  for (int i = 0; i < 3; ++i) rgb[i] = std::min(std::max(rgb[i], 0.0), 255.0);
}

void assert_equals_naive(TestFrame& frame, int width, int height,
                         UnetsegFit fit = UNETSEG_FIT_STRETCH) {
  const Picture picture = sampled(frame.view(), width, height, fit);
  const Framing framing = framing_of(frame.view(), fit, width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const int u = x - framing.x, v = y - framing.y;
      double in[3] = {}, rgb[3] = {};
      if (u >= 0 && u < framing.width && v >= 0 && v < framing.height) {
        for (int c = 0; c < 3; ++c)
          in[c] = rgb[c] =
              naive_component(frame, framing, std::min(c, frame.components() - 1), u, v);
        if (frame.is_yuv()) naive_rgb(frame, in, rgb);
      }
      for (int c = 0; c < 3; ++c)
        ck_assert_msg(std::fabs(picture.at(c, x, y) - rgb[c] / 255) < 2e-5,
                      "%s %dx%d to %dx%d: component %d at (%d, %d) is %f, not %f",
                      frame.format().name, frame.view().width, frame.view().height, width, height,
                      c, x, y, 255 * picture.at(c, x, y), rgb[c]);
    }
}

}  // namespace

START_TEST(test_c1_every_format_and_odd_size_equals_the_naive_reference) {
  const int sizes[][4] = {
      {1, 1, 8, 8},    {1, 7, 16, 16}, {7, 1, 16, 16},     {2, 9, 3, 4},     {9, 2, 4, 3},
      {8, 8, 3, 3},    {5, 3, 16, 16}, {5, 3, 2, 2},       {7, 9, 7, 9},     {9, 64, 4, 16},
      {64, 9, 16, 16}, {33, 17, 5, 3}, {385, 289, 16, 16}, {20, 30, 16, 16},
  };
  std::uint32_t seed = 1;
  for (const FormatCase& format : all_formats())
    for (const auto& size : sizes) {
      TestFrame frame(format, size[0], size[1], kPlacements[seed % 4]);
      frame.set_noise(seed++);
      frame.view().chroma_cosited_x = seed % 2;
      frame.view().chroma_cosited_y = seed / 2 % 2;
      frame.view().full_range = seed / 4 % 2;
      assert_equals_naive(frame, size[2], size[3]);
      ck_assert(frame.canaries_intact());
    }
}
END_TEST

START_TEST(test_every_format_letterboxed_and_cropped_equals_the_naive_reference) {
  const int sizes[][4] = {{1, 1, 8, 8},   {1, 7, 16, 16},   {7, 1, 16, 16},   {2, 9, 3, 4},
                          {9, 2, 4, 3},   {5, 3, 16, 16},   {7, 9, 7, 9},     {64, 9, 16, 16},
                          {33, 17, 5, 3}, {385, 289, 9, 9}, {160, 91, 16, 12}};
  std::uint32_t seed = 1;
  for (const FormatCase& format : all_formats())
    for (const auto& size : sizes)
      for (const UnetsegFit fit : {UNETSEG_FIT_LETTERBOX, UNETSEG_FIT_CROP}) {
        TestFrame frame(format, size[0], size[1], kPlacements[seed % 4]);
        frame.set_noise(seed++);
        frame.view().chroma_cosited_x = seed % 2;
        frame.view().chroma_cosited_y = seed / 2 % 2;
        frame.view().par_n = seed / 4 % 2 == 0 ? 1 : 16;
        frame.view().par_d = seed / 4 % 2 == 0 ? 1 : 11;
        assert_equals_naive(frame, size[2], size[3], fit);
        ck_assert(frame.canaries_intact());
      }
}
END_TEST

// More rows under one output row than a 16-bit sum holds.
START_TEST(test_very_tall_and_very_wide_frames_equal_the_naive_reference) {
  for (const FormatCase& format : {kPackedFormats[0], kNv12, kP010, kYuy2})
    for (const bool tall : {true, false}) {
      TestFrame frame(format, tall ? 3 : 2311, tall ? 2311 : 3);
      frame.set_noise(5);
      assert_equals_naive(frame, 2, 2);
      for (int c = 0; c < 3; ++c) frame.set_all(c, 256 * format.code_scale() - 1);
      assert_equals_naive(frame, 2, 2);
    }
}
END_TEST

// Filters are linear: filtering planes and then converting equals converting each pixel first, with
// every chroma sample standing for its pixels.
START_TEST(test_yuv_equals_its_rgb_conversion_where_nothing_clips) {
  for (const FormatCase& format : kYuvFormats) {
    TestFrame frame(format, 60, 40);
    const int scale = format.code_scale();
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < frame.sample_rows(c); ++y)
        for (int x = 0; x < frame.sample_columns(c); ++x)
          frame.sample(c, x, y) = c == 0 ? (80 + x + y) * scale + x % scale
                                         : (118 + (x * 5 + y * 3 + c) % 20) * scale + y % scale;
    const Picture direct = sampled(frame.view(), 15, 10);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 10; ++y)
        for (int x = 0; x < 15; ++x) {
          double sum = 0;
          for (int v = 4 * y; v < 4 * y + 4; ++v)
            for (int u = 4 * x; u < 4 * x + 4; ++u) {
              double yuv[3], colour[3];
              for (int k = 0; k < 3; ++k)
                yuv[k] = static_cast<double>(
                             frame.sample(k, u / frame.pixels_x(k), v / frame.pixels_y(k))) /
                         scale;
              naive_rgb(frame, yuv, colour);
              sum += colour[c];
            }
          ck_assert_double_eq_tol(255 * direct.at(c, x, y), sum / 16, 1e-2);
        }
  }
}
END_TEST

int main() {
  Suite* suite = suite_create("sampler reference");
  TCase* tests = tcase_create("sampler reference");
  tcase_add_test(tests, test_c1_every_format_and_odd_size_equals_the_naive_reference);
  tcase_add_test(tests, test_every_format_letterboxed_and_cropped_equals_the_naive_reference);
  tcase_add_test(tests, test_very_tall_and_very_wide_frames_equal_the_naive_reference);
  tcase_add_test(tests, test_yuv_equals_its_rgb_conversion_where_nothing_clips);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
