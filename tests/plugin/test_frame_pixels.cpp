// SPDX-License-Identifier: MIT
// Every pixel that the element pushes, for each format, size, layout and output. The fake network
// is as large as the frame and copies its red channel, so that masks are what frames show.
#include "tests/plugin/pictures.h"

namespace {

constexpr const char* kGreen = "0xff00ff00";

int blended(int from, int to, int alpha) {
  return (from * (255 - alpha) + to * alpha + 127) / 255;
}

// Opaque green over the lesion; chroma by how many of its pixels are lesion.
TestFrame overlaid(TestFrame& before, const Case& c) {
  TestFrame after = before;
  const int rgb[] = {0, 255, 0}, grey[] = {255};
  const int* ink = before.components() == 1 ? grey
                   : !before.is_yuv()       ? rgb
                   : c.format.bits == 10    ? c.colour.ink_10
                                            : c.colour.ink;
  for (int i = 0; i < before.components(); ++i) {
    const int across = before.pixels_x(i), down = before.pixels_y(i);
    for (int y = 0; y < before.sample_rows(i); ++y)
      for (int x = 0; x < before.sample_columns(i); ++x) {
        int covered = 0, pixels = 0;
        for (int v = y * down; v < std::min(c.height, (y + 1) * down); ++v)
          for (int u = x * across; u < std::min(c.width, (x + 1) * across); ++u, ++pixels)
            covered += red_of(before, c.colour, u, v) >= 127.5;
        after.sample(i, x, y) =
            blended(before.sample(i, x, y), ink[i], (255 * covered + pixels / 2) / pixels);
      }
  }
  return after;
}

void check_overlay(TestFrame& frame, const Case& c, Layout layout, GstBuffer* in, GstBuffer* out) {
  ck_assert_msg(in == out, "%s: a frame of its own was copied", c.caps().c_str());
  const PlacedFrame placed(info_of(c.caps()), layout);
  ck_assert_msg(bytes_of(out) == placed.bytes(overlaid(frame, c)),
                "%s, layout %d: wrong pixels or canaries", c.caps().c_str(),
                static_cast<int>(layout));
}

void check_grey(TestFrame& frame, const Case& c, Layout layout, bool is_mask, GstBuffer* out) {
  TestFrame result(kGrey, c.width, c.height);
  PlacedFrame(info_of(caps_of("GRAY8", c.width, c.height)), Layout::tight)
      .read(bytes_of(out), &result);
  for (int y = 0; y < c.height; ++y)
    for (int x = 0; x < c.width; ++x) {
      const double red = red_of(frame, c.colour, x, y);
      const double expected = !is_mask ? red : red >= 127.5 ? 255 : 0;
      ck_assert_msg(std::abs(result.sample(0, x, y) - expected) < (is_mask ? .1 : .51),
                    "%s, layout %d: %d instead of %f at (%d, %d)", c.caps().c_str(),
                    static_cast<int>(layout), static_cast<int>(result.sample(0, x, y)), expected, x,
                    y);
    }
}

// One session for all formats: their caps follow each other in one stream.
void check_all(const char* output, int width, int height, const std::vector<Case>& cases) {
  Bench bench({{"output", output},
               {"model-file", "fake:size=" + std::to_string(width) + "x" + std::to_string(height)},
               {"color", kGreen},
               {"opacity", "1"},
               {"contour-width", "0"}});
  std::uint32_t seed = 1;
  for (const Case& c : cases)
    for (const Layout layout : kLayouts) {
      ck_assert_msg(bench.send_caps(c.caps()), "%s", c.caps().c_str());
      TestFrame frame = picture(c, seed++);
      BufferPtr buffer = PlacedFrame(info_of(c.caps()), layout).buffer(frame);
      GstBuffer* in = buffer.get();
      ck_assert_int_eq(bench.push(std::move(buffer)), GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      ck_assert(out != nullptr);
      if (std::string(output) == "overlay")
        check_overlay(frame, c, layout, in, out.get());
      else
        check_grey(frame, c, layout, std::string(output) == "mask", out.get());
    }
}

const char* const kOutputs[] = {"overlay", "mask", "probability"};
const int kSizes[][2] = {{8, 8}, {9, 7}, {1, 1}, {1, 6}, {7, 1}, {2, 2}, {2, 5}};

}  // namespace

START_TEST(test_c1_c3_c7_every_format_size_and_layout_gives_the_reference_pixels) {
  const char* output = kOutputs[_i % 3];
  const int* size = kSizes[_i / 3];
  std::vector<Case> cases;
  for (const FormatCase& format : all_formats())
    cases.push_back({format, size[0], size[1], kColorimetries[0]});
  check_all(output, size[0], size[1], cases);
}
END_TEST

START_TEST(test_matrix_and_range_of_the_caps_are_used_both_ways) {
  std::vector<Case> cases;
  for (const Colorimetry& colour : kColorimetries)
    for (const FormatCase& format : kYuvFormats) cases.push_back({format, 8, 8, colour});
  check_all(kOutputs[_i], 8, 8, cases);
}
END_TEST

// A network of 2 x 1 and a frame of 4 x 2: red 204 on the left, 0 on the right is .8 and 0, whose
// bilinear values at the four columns are .8, .6, .2 and 0.
START_TEST(test_a_frame_larger_than_the_network_gets_interpolated_probabilities) {
  Bench bench({{"output", "probability"}, {"model-file", "fake:size=2x1"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 4, 2)));
  const guint8 grey[8] = {204, 204, 0, 0, 204, 204, 0, 0};
  BufferPtr frame = bytes_buffer(8, 0);
  gst_buffer_fill(frame.get(), 0, grey, 8);
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  const std::vector<guint8> expected = {204, 153, 51, 0, 204, 153, 51, 0};
  ck_assert(bytes_of(bench.pull().get()) == expected);
}
END_TEST

START_TEST(test_threshold_is_the_models_unless_it_is_set) {
  struct {
    const char *model, *threshold;
    guint8 mask;  // of a frame of 100
  } const cases[] = {{"fake:threshold=0.3", "-1", 255},
                     {"fake:threshold=0.5", "-1", 0},
                     {"fake:threshold=0.3", "0.6", 0},
                     {"fake:threshold=0.5", "0.1", 255}};
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"model-file", c.model}, {"threshold", c.threshold}});
    ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
    ck_assert_int_eq(bench.push(bytes_buffer(64, 100)), GST_FLOW_OK);
    ck_assert_msg(is_uniform(bench.pull().get(), c.mask), "%s, %s", c.model, c.threshold);
  }
}
END_TEST

START_TEST(test_style_set_while_playing_takes_effect_with_the_next_frame) {
  Bench bench({{"contour-width", "0"}, {"opacity", "1"}, {"color", "0xff000000"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  const std::pair<const char*, guint8> steps[] = {
      {"0xff000000", 0}, {"0xffffffff", 255}, {"0xff646464", 100}, {"0x00000000", 200}};
  for (const auto& step : steps) {
    set_properties(bench.element(), {{"color", step.first}});
    ck_assert_int_eq(bench.push(bytes_buffer(64, 200)), GST_FLOW_OK);
    ck_assert_msg(is_uniform(bench.pull().get(), step.second), "%s", step.first);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("frame pixels");
  TCase* tests = tcase_create("pixels");
  tcase_set_timeout(tests, 60);
  tcase_add_loop_test(tests, test_c1_c3_c7_every_format_size_and_layout_gives_the_reference_pixels,
                      0, 3 * static_cast<int>(G_N_ELEMENTS(kSizes)));
  tcase_add_loop_test(tests, test_matrix_and_range_of_the_caps_are_used_both_ways, 0, 3);
  tcase_add_test(tests, test_a_frame_larger_than_the_network_gets_interpolated_probabilities);
  tcase_add_test(tests, test_threshold_is_the_models_unless_it_is_set);
  tcase_add_test(tests, test_style_set_while_playing_takes_effect_with_the_next_frame);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
