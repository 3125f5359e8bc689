// SPDX-License-Identifier: MIT
// Measurements as applications get them: messages, metas, and output=none.
#include "tests/assertions.h"
#include "tests/plugin/mask_sink.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);
constexpr guint8 kSkin = 10, kLesion = 200;

// A rectangle of lesion on skin; frames are of the network's size, so that its pixels are the
// mask's.
struct Box {
  int x, y, width, height;
};
constexpr Box kBox = {2, 3, 4, 2};

void paint(GstBuffer* frame, const Box& box, guint8 value) {
  for (int y = box.y; y < box.y + box.height; ++y)
    gst_buffer_memset(frame, static_cast<gsize>(y * 8 + box.x), value,
                      static_cast<gsize>(box.width));
}

BufferPtr skin(GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, kSkin, pts);
}

BufferPtr lesion(GstClockTime pts = GST_CLOCK_TIME_NONE) {
  BufferPtr frame = skin(pts);
  paint(frame.get(), kBox, kLesion);
  return frame;
}

// The custom meta's structure, which lives with the buffer; null where it has none.
const GstStructure* meta_of(const BufferPtr& buffer) {
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer.get(), "unetseg");
  return meta == nullptr ? nullptr : gst_custom_meta_get_structure(meta);
}

std::vector<Box> regions_of(const BufferPtr& buffer) {
  std::vector<Box> regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    assert_equal(g_quark_to_string(region->roi_type), "lesion");
    regions.push_back({static_cast<int>(region->x), static_cast<int>(region->y),
                       static_cast<int>(region->w), static_cast<int>(region->h)});
  }
  return regions;
}

double real(const GstStructure* result, const char* field) {
  double value = 0;
  ck_assert_msg(gst_structure_get_double(result, field, &value), "%s", field);
  return value;
}

void assert_between(const GstStructure* result, const char* field, double least, double most) {
  const double value = real(result, field);
  ck_assert_msg(value >= least && value <= most, "%s: %g instead of %g to %g", field, value, least,
                most);
}

void assert_real(const GstStructure* result, const char* field, double expected,
                 double tolerance = 0) {
  assert_between(result, field, expected - tolerance, expected + tolerance);
}

guint64 whole(const GstStructure* result, const char* field) {
  guint64 value = 0;
  ck_assert_msg(gst_structure_get_uint64(result, field, &value), "%s", field);
  return value;
}

bool found(const GstStructure* result) {
  gboolean value = FALSE;
  ck_assert(gst_structure_get_boolean(result, "found", &value));
  return value;
}

void assert_box(const GstStructure* result, const Box& box) {
  Box read = {};
  ck_assert(gst_structure_get(result, "x", G_TYPE_INT, &read.x, "y", G_TYPE_INT, &read.y, "width",
                              G_TYPE_INT, &read.width, "height", G_TYPE_INT, &read.height,
                              nullptr));
  ck_assert_msg(
      read.x == box.x && read.y == box.y && read.width == box.width && read.height == box.height,
      "%d, %d, %d x %d", read.x, read.y, read.width, read.height);
}

// Of kBox.
void assert_lesion(const GstStructure* result) {
  ck_assert(found(result));
  assert_box(result, kBox);
  assert_real(result, "area", 8);
  assert_real(result, "area-fraction", 8 / 64.);
  assert_real(result, "centroid-x", 4);
  assert_real(result, "centroid-y", 4);
  assert_real(result, "asymmetry", 0, .05);
  // The border is the level line, which cuts the corners of a box this small.
  assert_between(result, "perimeter", 8, 12);
  assert_between(result, "diameter", 3.5, std::hypot(4, 2));
  assert_between(result, "border-irregularity", 1, 1.5);
  const double p = 8 * kLesion / 255., all = p + 56 * kSkin / 255.;
  assert_real(result, "confidence", 2 * p / (8 + all), 1e-5);
}

}  // namespace

START_TEST(test_a_message_tells_all_about_a_frame) {
  Bench bench({{"post-messages", "true"}});
  ck_assert(bench.send_caps(kCaps));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = GST_SECOND;
  segment.time = 5 * GST_SECOND;
  segment.base = 2 * GST_SECOND;
  bench.send(gst_event_new_segment(&segment));
  for (guint64 i = 0; i < 3; ++i) {
    BufferPtr frame = lesion((i + 2) * GST_SECOND);
    GST_BUFFER_DURATION(frame.get()) = 40 * GST_MSECOND;
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const std::vector<StructurePtr> results = bench.results();
    ck_assert_uint_eq(results.size(), 1);
    const GstStructure* result = results[0].get();
    assert_lesion(result);
    ck_assert_uint_eq(whole(result, "timestamp"), (i + 2) * GST_SECOND);
    ck_assert_uint_eq(whole(result, "running-time"), (i + 3) * GST_SECOND);
    ck_assert_uint_eq(whole(result, "stream-time"), (i + 6) * GST_SECOND);
    ck_assert_uint_eq(whole(result, "duration"), 40 * GST_MSECOND);
    ck_assert_uint_eq(whole(result, "frame"), i);
    ck_assert_uint_eq(whole(result, "mask-age"), 0);
    assert_equal(gst_structure_get_string(result, "device"), "cpu");
    for (const char* field : {"area-mm2", "perimeter-mm", "diameter-mm"})
      ck_assert_msg(!gst_structure_has_field(result, field), "%s", field);
  }
}
END_TEST

START_TEST(test_the_inference_time_is_told) {
  Bench bench({{"model-file", "fake:delay-ms=3"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  const BufferPtr out = bench.pull();
  ck_assert_uint_eq(whole(meta_of(out), "inference-time"), bench.stat("inference-time-median"));
}
END_TEST

START_TEST(test_no_message_is_posted_unless_asked_for) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  for (const char* post : {"false", "true", "false"}) {
    set_properties(bench.element(), {{"post-messages", post}});
    for (int i = 0; i < 2; ++i) bench.push(lesion());
    ck_assert_uint_eq(bench.results().size(), std::string(post) == "true" ? 2 : 0);
  }
}
END_TEST

START_TEST(test_frames_and_masks_carry_the_same_as_the_message) {
  for (const char* output : {"overlay", "mask", "probability", "none"}) {
    Bench bench({{"output", output}, {"post-messages", "true"}});
    MaskSink masks(bench);
    ck_assert(bench.send_caps(kCaps));
    bench.push(lesion(GST_SECOND));
    const std::vector<StructurePtr> results = bench.results();
    ck_assert_uint_eq(results.size(), 1);
    for (const BufferPtr& buffer : {bench.pull(), masks.pull()}) {
      ck_assert_msg(meta_of(buffer) != nullptr, "%s", output);
      ck_assert_msg(gst_structure_is_equal(meta_of(buffer), results[0].get()), "%s", output);
      const std::vector<Box> regions = regions_of(buffer);
      ck_assert_uint_eq(regions.size(), 1);
      ck_assert(regions[0].x == kBox.x && regions[0].y == kBox.y &&
                regions[0].width == kBox.width && regions[0].height == kBox.height);
    }
  }
}
END_TEST

START_TEST(test_a_frame_without_lesion_says_so) {
  Bench bench({{"post-messages", "true"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  bench.push(skin());
  const std::vector<StructurePtr> results = bench.results();
  ck_assert_uint_eq(results.size(), 2);
  for (const char* field : {"area", "perimeter", "diameter", "border-irregularity", "confidence"})
    assert_real(results[1].get(), field, 0);
  ck_assert(found(results[0].get()) && !found(results[1].get()));
  bench.pull();
  masks.pull();
  for (const BufferPtr& buffer : {bench.pull(), masks.pull()}) {
    ck_assert(!found(meta_of(buffer)));
    ck_assert_uint_eq(regions_of(buffer).size(), 0);
  }
}
END_TEST

START_TEST(test_a_frame_that_shows_no_mask_carries_nothing) {
  Bench bench({{"on-error", "pass"}, {"model-file", "fake:nan-at=2"}, {"post-messages", "true"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  ck_assert(meta_of(bench.pull()) != nullptr);
  masks.pull();
  bench.push(lesion());
  BufferPtr gap = lesion();
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  bench.push(std::move(gap));
  for (int i = 0; i < 2; ++i)
    for (const BufferPtr& buffer : {bench.pull(), masks.pull()}) {
      ck_assert(meta_of(buffer) == nullptr);
      ck_assert_uint_eq(regions_of(buffer).size(), 0);
    }
  ck_assert_uint_eq(bench.results().size(), 1);
}
END_TEST

START_TEST(test_the_interval_can_be_read_from_messages_and_metas) {
  for (const guint64 interval : {1, 2, 3}) {
    Bench bench({{"post-messages", "true"}, {"inference-interval", std::to_string(interval)}});
    ck_assert(bench.send_caps(kCaps));
    for (guint64 i = 0; i < 12; ++i) {
      bench.push(lesion(i * GST_SECOND));
      const BufferPtr out = bench.pull();
      assert_lesion(meta_of(out));
      ck_assert_uint_eq(whole(meta_of(out), "frame"), i - i % interval);
      ck_assert_uint_eq(whole(meta_of(out), "mask-age"), i % interval * GST_SECOND);
    }
    const std::vector<StructurePtr> results = bench.results();
    ck_assert_uint_eq(results.size(), 12 / interval);
    for (std::size_t i = 0; i < results.size(); ++i)
      ck_assert_uint_eq(whole(results[i].get(), "frame"), i * interval);
  }
}
END_TEST

// The first mask is that of the first frame, however many come before it is finished.
START_TEST(test_latest_mode_tells_how_old_a_mask_is) {
  Bench bench({{"mode", "latest"}, {"post-messages", "true"}, {"model-file", "fake:delay-ms=5"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion(0));
  std::vector<StructurePtr> results;
  BufferPtr shown = bench.pull();
  ck_assert(meta_of(shown) == nullptr);
  while (results.empty()) {
    ck_assert(meta_of(shown) == nullptr);
    bench.push(skin(100 * GST_MSECOND));
    shown = bench.pull();
    results = bench.results();
  }
  for (const GstStructure* result :
       {static_cast<const GstStructure*>(results[0].get()), meta_of(shown)}) {
    assert_lesion(result);
    ck_assert_uint_eq(whole(result, "timestamp"), 0);
    ck_assert_uint_eq(whole(result, "frame"), 0);
    ck_assert_uint_eq(whole(result, "mask-age"), 100 * GST_MSECOND);
  }
}
END_TEST

START_TEST(test_no_message_tells_of_a_frame_before_a_discontinuity) {
  Bench bench({{"mode", "latest"}, {"post-messages", "true"}, {"model-file", "fake:delay-ms=5"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  bench.send_segment();
  std::vector<StructurePtr> results;
  while (results.empty()) {
    bench.push(skin());
    bench.pull();
    results = bench.results();
  }
  ck_assert_uint_ge(whole(results[0].get(), "frame"), 1);
}
END_TEST

START_TEST(test_no_result_is_lost_where_the_mode_changes) {
  Bench bench({{"mode", "latest"}, {"post-messages", "true"}, {"model-file", "fake:delay-ms=20"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  set_properties(bench.element(), {{"mode", "every-frame"}});
  bench.push(skin());
  const std::vector<StructurePtr> results = bench.results();
  ck_assert_uint_eq(results.size(), 2);
  for (guint64 i = 0; i < 2; ++i) {
    ck_assert_uint_eq(whole(results[i].get(), "frame"), i);
    ck_assert_int_eq(found(results[i].get()), i == 0);
  }
}
END_TEST

START_TEST(test_pixel_size_adds_millimetres) {
  Bench bench({{"pixel-size", "0.5"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(lesion());
  const BufferPtr out = bench.pull();
  const GstStructure* result = meta_of(out);
  assert_real(result, "area-mm2", real(result, "area") * .25);
  assert_real(result, "perimeter-mm", real(result, "perimeter") * .5);
  assert_real(result, "diameter-mm", real(result, "diameter") * .5);
}
END_TEST

START_TEST(test_a_held_mask_is_measured_anew_for_another_threshold) {
  Bench bench({{"inference-interval", "1000"}});
  ck_assert(bench.send_caps(kCaps));
  BufferPtr frame = lesion();
  paint(frame.get(), {0, 0, 8, 2}, 150);
  bench.push(std::move(frame));
  assert_real(meta_of(bench.pull()), "area", 24);
  set_properties(bench.element(), {{"threshold", "0.7"}});
  bench.push(skin());
  assert_box(meta_of(bench.pull()), kBox);
  set_properties(bench.element(), {{"threshold", "0.5"}});
  bench.push(skin());
  assert_real(meta_of(bench.pull()), "area", 24);
}
END_TEST

// One map after clean-up for overlay, mask and measurements; a new inference has a new one.
START_TEST(test_what_is_measured_is_the_cleaned_mask) {
  Bench bench({{"model-file", "fake:largest-only=1"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  const Box boxes[] = {kBox, {0, 0, 8, 2}, {1, 6, 5, 2}};
  for (const Box& box : boxes) {
    BufferPtr frame = skin();
    paint(frame.get(), box, kLesion);
    paint(frame.get(), {7, 7, 1, 1}, kLesion);
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr mask = masks.pull(), out = bench.pull();
    assert_box(meta_of(out), box);
    assert_real(meta_of(out), "area", box.width * box.height);
    const std::vector<guint8> pixels = bytes_of(mask.get());
    ck_assert_int_eq(std::count(pixels.begin(), pixels.end(), 255), box.width * box.height);
  }
}
END_TEST

// The largest region at .5 is gone at .7, where another one is the largest.
START_TEST(test_another_threshold_is_another_clean_up) {
  Bench bench({{"model-file", "fake:largest-only=1"}, {"inference-interval", "1000"}});
  ck_assert(bench.send_caps(kCaps));
  BufferPtr frame = lesion();
  const Box large = {0, 0, 8, 2};
  paint(frame.get(), large, 150);
  bench.push(std::move(frame));
  assert_box(meta_of(bench.pull()), large);
  for (const bool high : {true, false, true}) {
    set_properties(bench.element(), {{"threshold", high ? "0.7" : "0.5"}});
    bench.push(skin());
    assert_box(meta_of(bench.pull()), high ? kBox : large);
  }
}
END_TEST

START_TEST(test_a_shared_frame_gets_its_metas_without_a_copy_of_its_pixels) {
  for (const bool read_only : {false, true}) {
    Bench bench({{"output", "none"}});
    ck_assert(bench.send_caps(kCaps));
    std::vector<guint8> pixels = bytes_of(lesion().get());
    const std::vector<guint8> before = pixels;
    const BufferPtr other(gst_buffer_new_wrapped_full(
        read_only ? GST_MEMORY_FLAG_READONLY : static_cast<GstMemoryFlags>(0), pixels.data(),
        pixels.size(), 0, pixels.size(), nullptr, nullptr));
    // As behind a tee: two branches have the same buffer.
    ck_assert_int_eq(bench.push(BufferPtr(gst_buffer_ref(other.get()))), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    assert_lesion(meta_of(out));
    ck_assert(meta_of(other) == nullptr && regions_of(other).empty());
    ck_assert(gst_buffer_peek_memory(out.get(), 0) == gst_buffer_peek_memory(other.get(), 0));
    ck_assert(pixels == before);
    // As in front of an element that makes its buffer writable.
    const BufferPtr copy(gst_buffer_copy(out.get()));
    assert_lesion(meta_of(copy));
    ck_assert_uint_eq(regions_of(copy).size(), 1);
  }
}
END_TEST

START_TEST(test_output_none_lets_frames_through_as_they_are) {
  Bench bench({{"output", "none"}, {"on-error", "pass"}}, Upstream::not_live, PeerMeta::none);
  for (const char* format : {"GRAY8", "I420", "RGBA"}) {
    ck_assert(bench.send_caps(caps_of(format, 8, 8)));
    BufferPtr frame = bytes_buffer(256, kLesion, GST_SECOND);
    GstBuffer* in = frame.get();
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(out.get() == in);
    ck_assert(is_uniform(out.get(), kLesion));
    CapsPtr caps(gst_pad_get_current_caps(bench.harness()->sinkpad));
    assert_equal(gst_structure_get_string(gst_caps_get_structure(caps.get(), 0), "format"), format);
  }
  // Nobody could read it.
  ck_assert_int_eq(bench.push(bytes_buffer(10, kLesion)), GST_FLOW_OK);
  ck_assert(bench.pull() == nullptr);
}
END_TEST

START_TEST(test_an_earlier_elements_meta_is_replaced) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  BufferPtr frame = lesion();
  gst_buffer_add_custom_meta(frame.get(), "unetseg");
  bench.push(std::move(frame));
  const BufferPtr out = bench.pull();
  assert_lesion(meta_of(out));
  gst_buffer_remove_meta(out.get(), &gst_buffer_get_custom_meta(out.get(), "unetseg")->meta);
  ck_assert(meta_of(out) == nullptr);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("results");
  TCase* tests = tcase_create("results");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_a_message_tells_all_about_a_frame);
  tcase_add_test(tests, test_the_inference_time_is_told);
  tcase_add_test(tests, test_no_message_is_posted_unless_asked_for);
  tcase_add_test(tests, test_frames_and_masks_carry_the_same_as_the_message);
  tcase_add_test(tests, test_a_frame_without_lesion_says_so);
  tcase_add_test(tests, test_a_frame_that_shows_no_mask_carries_nothing);
  tcase_add_test(tests, test_the_interval_can_be_read_from_messages_and_metas);
  tcase_add_test(tests, test_latest_mode_tells_how_old_a_mask_is);
  tcase_add_test(tests, test_no_message_tells_of_a_frame_before_a_discontinuity);
  tcase_add_test(tests, test_no_result_is_lost_where_the_mode_changes);
  tcase_add_test(tests, test_pixel_size_adds_millimetres);
  tcase_add_test(tests, test_a_held_mask_is_measured_anew_for_another_threshold);
  tcase_add_test(tests, test_what_is_measured_is_the_cleaned_mask);
  tcase_add_test(tests, test_another_threshold_is_another_clean_up);
  tcase_add_test(tests, test_a_shared_frame_gets_its_metas_without_a_copy_of_its_pixels);
  tcase_add_test(tests, test_output_none_lets_frames_through_as_they_are);
  tcase_add_test(tests, test_an_earlier_elements_meta_is_replaced);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
