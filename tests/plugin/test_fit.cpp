// SPDX-License-Identifier: MIT
// Frames of another shape than the network's input: masks, outlines and measurements of each fit.
#include <cmath>

#include "tests/plugin/grey_frame.h"
#include "tests/plugin/mask_sink.h"

namespace {

using Rows = std::vector<std::string>;

// For an input of 8 x 8.
const std::string kWide = caps_of("GRAY8", 16, 8);
const Rows kAll(8, "################");
const Rows kMiddle(8, "....########....");
const Rows kSkin(8, "................");

void assert_field(const BufferPtr& buffer, const char* field, double expected) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer.get(), "unetseg");
  ck_assert(meta != nullptr);
  double value = 0;
  ck_assert(gst_structure_get_double(gst_custom_meta_get_structure(meta), field, &value));
  ck_assert_msg(std::fabs(value - expected) < 1e-9, "%s: %g instead of %g", field, value, expected);
}

}  // namespace

START_TEST(test_crop_finds_no_lesion_outside_of_the_middle) {
  Bench bench({{"output", "mask"}, {"fit", "crop"}});
  ck_assert(bench.send_caps(kWide));
  assert_mask(bench, kAll, kMiddle);
  assert_mask(bench,
              {"####........####", "####........####", "####........####", "####........####",
               "####........####", "####........####", "####........####", "####........####"},
              kSkin);
  const Rows box = {"................", "................", "......##........", "......##........",
                    "................", "................", "................", "................"};
  assert_mask(bench, box, box);
  // Whatever the threshold, and for probabilities as well.
  set_properties(bench.element(), {{"threshold", "0"}});
  assert_mask(bench, kSkin, kMiddle);
  set_properties(bench.element(), {{"output", "probability"}});
  ck_assert_int_eq(bench.push(grey_frame(kAll)), GST_FLOW_OK);
  const std::vector<guint8> bytes = bytes_of(bench.pull().get());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    ck_assert_int_eq(bytes[i], i % 16 >= 4 && i % 16 < 12 ? 200 : 0);
}
END_TEST

START_TEST(test_crop_of_a_tall_frame_is_its_middle) {
  Bench bench({{"output", "mask"}, {"fit", "crop"}});
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 16)));
  Rows mask(16, "........");
  for (std::size_t y = 4; y < 12; ++y) mask[y] = "########";
  assert_mask(bench, Rows(16, "########"), mask);
}
END_TEST

// Beside the frame the network sees black; in the frame nothing of it is seen.
START_TEST(test_letterbox_covers_the_whole_frame) {
  Bench bench({{"output", "mask"}, {"fit", "letterbox"}});
  ck_assert(bench.send_caps(kWide));
  assert_mask(bench, kAll, kAll);
  assert_mask(bench, kSkin, kSkin);
  // Two pixels of the frame make one of the input's, and enlarging rounds its corner.
  assert_mask(bench,
              {"##............##", "##............##", "................", "................",
               "................", "................", "##............##", "##............##"},
              {"##............##", "#..............#", "................", "................",
               "................", "................", "#..............#", "##............##"});
  set_properties(bench.element(), {{"threshold", "0"}});
  assert_mask(bench, kSkin, kAll);
}
END_TEST

START_TEST(test_stretch_squashes_what_letterbox_keeps_in_shape) {
  // One row of the input for one of the frame's, and one for two.
  const Rows line = {"................", "................", "................",
                     "################", "................", "................",
                     "................", "................"};
  Bench bench({{"output", "mask"}, {"fit", "stretch"}});
  ck_assert(bench.send_caps(kWide));
  assert_mask(bench, line, line);
  set_properties(bench.element(), {{"fit", "letterbox"}});
  assert_mask(bench, line, kSkin);
}
END_TEST

START_TEST(test_the_weights_say_how_unless_the_property_does) {
  for (const char* model : {"stretch", "letterbox", "crop"})
    for (const char* fit : {"weights", "stretch", "letterbox", "crop"}) {
      Bench bench(
          {{"output", "mask"}, {"model-file", std::string("fake:fit=") + model}, {"fit", fit}});
      ck_assert(bench.send_caps(kWide));
      const std::string used = std::string(fit) == "weights" ? model : fit;
      assert_mask(bench, kAll, used == "crop" ? kMiddle : kAll);
    }
}
END_TEST

// As it is displayed, the frame is as wide as it is high, or four times as wide.
START_TEST(test_the_pixel_aspect_ratio_counts) {
  for (const bool square : {true, false}) {
    Bench bench({{"output", "mask"}, {"fit", "crop"}});
    const char* par =
        square ? "framerate=30/1,pixel-aspect-ratio=1/2" : "framerate=30/1,pixel-aspect-ratio=2/1";
    ck_assert(bench.send_caps(caps_of("GRAY8", 16, 8, par)));
    assert_mask(bench, kAll, square ? kAll : Rows(8, "......####......"));
    // And where it changes.
    ck_assert(bench.send_caps(kWide));
    assert_mask(bench, kAll, kMiddle);
  }
}
END_TEST

// A mask stays where it was inferred: the fit is that of its frame.
START_TEST(test_another_fit_while_playing_counts_from_the_next_inference) {
  Bench bench({{"output", "mask"}, {"inference-interval", "2"}, {"fit", "crop"}});
  ck_assert(bench.send_caps(kWide));
  assert_mask(bench, kAll, kMiddle);
  set_properties(bench.element(), {{"fit", "letterbox"}});
  assert_mask(bench, kSkin, kMiddle);
  assert_mask(bench, kAll, kAll);
  set_properties(bench.element(), {{"fit", "crop"}});
  assert_mask(bench, kSkin, kAll);
  assert_mask(bench, kAll, kMiddle);
}
END_TEST

START_TEST(test_frames_of_one_batch_may_have_different_fits) {
  Bench bench({{"output", "mask"}, {"batch-size", "3"}, {"fit", "crop"}});
  ck_assert(bench.send_caps(kWide));
  for (const char* fit : {"crop", "letterbox", "crop"}) {
    set_properties(bench.element(), {{"fit", fit}});
    ck_assert_int_eq(bench.push(grey_frame(kAll)), GST_FLOW_OK);
  }
  for (const bool crop : {true, false, true}) {
    const BufferPtr out = bench.pull();
    ck_assert(joined(drawn(out.get(), 16)) == joined(crop ? kMiddle : kAll));
  }
}
END_TEST

// Two pixels wide, along both sides of the middle and nowhere else.
START_TEST(test_the_outline_is_closed_along_the_edge_of_a_crop) {
  Bench bench(
      {{"fit", "crop"}, {"opacity", "0"}, {"contour-color", "0xffffffff"}, {"contour-width", "2"}});
  ck_assert(bench.send_caps(kWide));
  ck_assert_int_eq(bench.push(grey_frame(kAll)), GST_FLOW_OK);
  const std::vector<guint8> bytes = bytes_of(bench.pull().get());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::size_t x = i % 16;
    ck_assert_int_eq(bytes[i], x == 3 || x == 4 || x == 11 || x == 12 ? 255 : 200);
  }
}
END_TEST

// Frame, mask and numbers agree, in every fit.
START_TEST(test_what_is_measured_is_the_mask_that_is_shown) {
  const Rows box = {"................", "................", "....########....", "....########....",
                    "....########....", "....########....", "................", "................"};
  for (const char* fit : {"stretch", "letterbox", "crop"}) {
    Bench bench({{"fit", fit}});
    MaskSink masks(bench);
    ck_assert(bench.send_caps(kWide));
    for (const Rows& rows : {box, kAll}) {
      ck_assert_int_eq(bench.push(grey_frame(rows)), GST_FLOW_OK);
      const BufferPtr out = bench.pull(), mask = masks.pull();
      const std::vector<guint8> pixels = bytes_of(mask.get());
      const auto area = std::count(pixels.begin(), pixels.end(), 255);
      ck_assert_int_gt(area, 0);
      assert_field(out, "area", static_cast<double>(area));
      assert_field(out, "area-fraction", static_cast<double>(area) / 128);
      assert_field(out, "centroid-x", 8);
      assert_field(out, "centroid-y", 4);
      const auto* region = gst_buffer_get_video_region_of_interest_meta(out.get());
      ck_assert(region != nullptr);
      const std::vector<std::string> drawn_rows = drawn(mask.get(), 16);
      ck_assert_uint_eq(region->x, drawn_rows[4].find('#'));
      ck_assert_uint_eq(region->x + region->w, drawn_rows[4].rfind('#') + 1);
    }
  }
}
END_TEST

// The sampled frame is the network's input exactly, so masks are the frames' own pixels.
START_TEST(test_every_format_is_cropped_alike) {
  for (const char* format : {"RGB", "BGRx", "ARGB", "I420", "YV12", "Y42B", "Y444", "NV12", "NV21",
                             "YUY2", "UYVY", "P010_10LE"}) {
    Bench bench({{"output", "mask"}, {"fit", "crop"}});
    ck_assert(bench.send_caps(caps_of(format, 16, 8)));
    GstVideoInfo info;
    ck_assert(gst_video_info_set_format(&info, gst_video_format_from_string(format), 16, 8));
    ck_assert_int_eq(bench.push(bytes_buffer(GST_VIDEO_INFO_SIZE(&info), 200)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    const std::string got = joined(drawn(out.get(), 16));
    ck_assert_msg(got == joined(kMiddle), "%s:\n%s", format, got.c_str());
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("fit");
  TCase* tests = tcase_create("fit");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_crop_finds_no_lesion_outside_of_the_middle);
  tcase_add_test(tests, test_crop_of_a_tall_frame_is_its_middle);
  tcase_add_test(tests, test_letterbox_covers_the_whole_frame);
  tcase_add_test(tests, test_stretch_squashes_what_letterbox_keeps_in_shape);
  tcase_add_test(tests, test_the_weights_say_how_unless_the_property_does);
  tcase_add_test(tests, test_the_pixel_aspect_ratio_counts);
  tcase_add_test(tests, test_another_fit_while_playing_counts_from_the_next_inference);
  tcase_add_test(tests, test_frames_of_one_batch_may_have_different_fits);
  tcase_add_test(tests, test_the_outline_is_closed_along_the_edge_of_a_crop);
  tcase_add_test(tests, test_what_is_measured_is_the_mask_that_is_shown);
  tcase_add_test(tests, test_every_format_is_cropped_alike);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
