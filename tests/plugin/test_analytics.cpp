// SPDX-License-Identifier: MIT
// Results as GstAnalytics, in builds that have it.
#include "tests/assertions.h"
#include "tests/plugin/mask_sink.h"

#include <gst/analytics/analytics.h>

namespace {

constexpr guint8 kSkin = 10, kLesion = 200;

}  // namespace

START_TEST(test_frames_and_masks_carry_segmentation_and_lesion) {
  Bench bench;
  MaskSink masks(bench);
  ck_assert(bench.send_caps(caps_of("GRAY8", 16, 16)));
  for (const bool has_lesion : {true, false}) {
    BufferPtr frame = bytes_buffer(256, has_lesion ? kLesion : kSkin);
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    for (const BufferPtr& buffer : {bench.pull(), masks.pull()}) {
      GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer.get());
      ck_assert(meta != nullptr);
      gpointer state = nullptr;
      GstAnalyticsMtd segmentation, object;
      ck_assert(gst_analytics_relation_meta_iterate(
          meta, &state, gst_analytics_segmentation_mtd_get_mtd_type(), &segmentation));
      gint x, y;
      guint width, height;
      const BufferPtr mask(
          gst_analytics_segmentation_mtd_get_mask(&segmentation, &x, &y, &width, &height));
      ck_assert(x == 0 && y == 0 && width == 16 && height == 16);
      ck_assert_uint_eq(gst_buffer_get_size(mask.get()), 64);
      ck_assert(is_uniform(mask.get(), has_lesion ? 255 : 0));
      gsize region = 0;
      ck_assert(gst_analytics_segmentation_mtd_get_region_index(&segmentation, &region, 255));
      ck_assert_uint_eq(region, 1);

      state = nullptr;
      ck_assert_int_eq(gst_analytics_relation_meta_iterate(
                           meta, &state, gst_analytics_od_mtd_get_mtd_type(), &object),
                       has_lesion);
      if (!has_lesion) continue;
      gint w, h;
      gfloat confidence;
      ck_assert(gst_analytics_od_mtd_get_location(&object, &x, &y, &w, &h, &confidence));
      ck_assert(x == 0 && y == 0 && w == 16 && h == 16);
      // A frame full of lesion of this probability.
      const gfloat p = kLesion / 255.f;
      ck_assert(std::fabs(confidence - 2 * p / (1 + p)) < 1e-5f);
      assert_equal(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&object)), "lesion");
    }
  }
}
END_TEST

// It is said to be stretched over the frame, so it is a picture of the whole of it.
START_TEST(test_the_segmentation_of_a_cropped_frame_is_of_the_whole_frame) {
  for (const char* fit : {"stretch", "letterbox", "crop"}) {
    Bench bench({{"fit", fit}});
    ck_assert(bench.send_caps(caps_of("GRAY8", 16, 8)));
    ck_assert_int_eq(bench.push(bytes_buffer(128, kLesion)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    gpointer state = nullptr;
    GstAnalyticsMtd segmentation;
    ck_assert(gst_analytics_relation_meta_iterate(
        gst_buffer_get_analytics_relation_meta(out.get()), &state,
        gst_analytics_segmentation_mtd_get_mtd_type(), &segmentation));
    gint x, y;
    guint width, height;
    const BufferPtr mask(
        gst_analytics_segmentation_mtd_get_mask(&segmentation, &x, &y, &width, &height));
    ck_assert(x == 0 && y == 0 && width == 16 && height == 8);
    const std::vector<guint8> pixels = bytes_of(mask.get());
    ck_assert_uint_eq(pixels.size(), 64);
    const bool crops = std::string(fit) == "crop";
    for (std::size_t i = 0; i < pixels.size(); ++i)
      ck_assert_int_eq(pixels[i], crops && (i % 8 < 2 || i % 8 >= 6) ? 0 : 255);
  }
}
END_TEST

// What another element has found stays.
START_TEST(test_an_earlier_elements_objects_are_kept) {
  Bench bench;
  ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
  BufferPtr frame = bytes_buffer(64, kLesion);
  GstAnalyticsMtd ruler;
  ck_assert(gst_analytics_relation_meta_add_od_mtd(
      gst_buffer_add_analytics_relation_meta(frame.get()), g_quark_from_static_string("ruler"), 1,
      2, 3, 4, .5f, &ruler));
  bench.push(std::move(frame));
  const BufferPtr out = bench.pull();
  gpointer state = nullptr;
  GstAnalyticsMtd object;
  std::string objects;
  while (gst_analytics_relation_meta_iterate(gst_buffer_get_analytics_relation_meta(out.get()),
                                             &state, gst_analytics_od_mtd_get_mtd_type(), &object))
    objects += std::string(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&object))) + " ";
  assert_equal(objects, "ruler lesion ");
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("analytics");
  TCase* tests = tcase_create("analytics");
  tcase_add_test(tests, test_frames_and_masks_carry_segmentation_and_lesion);
  tcase_add_test(tests, test_the_segmentation_of_a_cropped_frame_is_of_the_whole_frame);
  tcase_add_test(tests, test_an_earlier_elements_objects_are_kept);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
