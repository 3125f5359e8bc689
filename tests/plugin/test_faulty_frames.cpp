// SPDX-License-Identifier: MIT
// Frames that cannot be segmented: buffers that lie, and networks that fail.
#include "tests/plugin/bench.h"

namespace {

// RGB of 8 x 8 as its caps say: rows of 24 bytes, 192 in all.
constexpr gsize kSize = 192;
const std::string kCaps = caps_of("RGB", 8, 8);

struct Meta {
  GstVideoFormat format = GST_VIDEO_FORMAT_RGB;
  guint width = 8, height = 8, planes = 1;
  gsize offset = 0;
  gint stride = 24;
};

struct BadBuffer {
  const char* name;
  gsize size;
  bool has_meta;
  Meta meta;
};

const BadBuffer kBadBuffers[] = {
    {"empty", 0, false, {}},
    {"one byte short", kSize - 1, false, {}},
    {"one byte short, with meta", kSize - 1, true, {}},
    {"offset one byte too far", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 1, 24}},
    {"offset beyond the end", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 1000, 24}},
    {"offset near 2^64",
     kSize,
     true,
     {GST_VIDEO_FORMAT_RGB, 8, 8, 1, ~static_cast<gsize>(0) - 10, 24}},
    {"stride beyond the end", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, 25}},
    {"largest stride", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, G_MAXINT}},
    {"smallest stride", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, G_MININT}},
    {"rows that overlap", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, 23}},
    {"stride 0", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, 0}},
    {"negative stride from the first row", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 1, 0, -24}},
    {"another format", kSize, true, {GST_VIDEO_FORMAT_BGR, 8, 8, 1, 0, 24}},
    {"narrower than the caps", kSize, true, {GST_VIDEO_FORMAT_RGB, 7, 8, 1, 0, 24}},
    {"lower than the caps", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 7, 1, 0, 24}},
    {"too many planes", kSize, true, {GST_VIDEO_FORMAT_RGB, 8, 8, 3, 0, 24}},
};

BufferPtr with_meta(BufferPtr buffer, const Meta& meta) {
  gsize offset[GST_VIDEO_MAX_PLANES] = {meta.offset};
  gint stride[GST_VIDEO_MAX_PLANES] = {meta.stride};
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, meta.format, meta.width,
                                 meta.height, meta.planes, offset, stride);
  return buffer;
}

BufferPtr make(const BadBuffer& bad) {
  BufferPtr buffer = bytes_buffer(bad.size, 200, GST_SECOND);
  return bad.has_meta ? with_meta(std::move(buffer), bad.meta) : std::move(buffer);
}

BufferPtr good_frame() {
  return bytes_buffer(kSize, 200, GST_SECOND);
}

// on-error, upstream, and whether a faulty frame passes.
struct Policy {
  const char* on_error;
  Upstream upstream;
  bool passes;
};
const Policy kPolicies[] = {
    {"auto", Upstream::live, true},  {"auto", Upstream::not_live, false},
    {"pass", Upstream::live, true},  {"pass", Upstream::not_live, true},
    {"fail", Upstream::live, false}, {"fail", Upstream::not_live, false},
};

// A frame that was passed on without a mask.
void assert_zero_mask(GstBuffer* mask) {
  ck_assert(mask != nullptr);
  ck_assert(is_gap(mask));
  ck_assert_uint_eq(gst_buffer_get_size(mask), 64);
  ck_assert(is_uniform(mask, 0));
  ck_assert_uint_eq(GST_BUFFER_PTS(mask), GST_SECOND);
}

// What a network's fault is called on the bus.
struct BadResult {
  const char* script;
  bool passes;  // where on-error says so
  GQuark domain;
  int code;
};
const std::vector<BadResult>& bad_results() {
  static const std::vector<BadResult> rows = {
      {"fake:nan-at=2", true, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED},
      {"fake:no-space-at=2", true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"fake:bad-alloc-at=2", true, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"fake:exception-at=2", false, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
      {"fake:other-at=2", false, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED}};
  return rows;
}

}  // namespace

START_TEST(test_c4_c5_buffers_that_lie_are_answered_as_on_error_says) {
  const Policy& policy = kPolicies[_i];
  for (const char* output : {"overlay", "mask"})
    for (const BadBuffer& bad : kBadBuffers) {
      Bench bench({{"output", output}, {"on-error", policy.on_error}}, policy.upstream);
      ck_assert(bench.send_caps(kCaps));
      const GstFlowReturn flow = bench.push(make(bad));
      ck_assert_msg(flow == (policy.passes ? GST_FLOW_OK : GST_FLOW_ERROR), "%s: %s", bad.name,
                    gst_flow_get_name(flow));
      assert_only(policy.passes ? bench.warnings() : bench.errors(), GST_STREAM_ERROR,
                  GST_STREAM_ERROR_FORMAT, "before unetseg");
      ck_assert_uint_eq(bench.stat("faulty"), 1);
      const BufferPtr out = bench.pull();
      if (policy.passes && std::string(output) == "mask")
        assert_zero_mask(out.get());
      else
        ck_assert_msg(out == nullptr, "%s", bad.name);  // nobody could read it either
      if (!policy.passes) continue;
      ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
      ck_assert(bench.pull() != nullptr);
      ck_assert_uint_eq(bench.stat("inferred"), 1);
    }
}
END_TEST

START_TEST(test_c4_of_a_larger_meta_the_region_of_the_caps_is_used) {
  Bench bench({{"output", "mask"}});
  ck_assert(bench.send_caps(kCaps));
  Meta large;
  large.width = 10;
  large.height = 9;
  large.stride = 30;
  ck_assert_int_eq(bench.push(with_meta(bytes_buffer(9 * 30, 200), large)), GST_FLOW_OK);
  const BufferPtr mask = bench.pull();
  ck_assert_uint_eq(gst_buffer_get_size(mask.get()), 64);
  ck_assert(is_uniform(mask.get(), 255));
}
END_TEST

START_TEST(test_c5_a_row_needs_no_padding_after_the_last_one) {
  Bench bench({{"output", "mask"}});
  ck_assert(bench.send_caps(kCaps));
  Meta padded;
  padded.stride = 40;
  ck_assert_int_eq(bench.push(with_meta(bytes_buffer(7 * 40 + 24, 200), padded)), GST_FLOW_OK);
  ck_assert(is_uniform(bench.pull().get(), 255));
}
END_TEST

START_TEST(test_b8_a_network_that_fails_is_answered_as_on_error_says) {
  const Policy& policy = kPolicies[_i];
  for (const char* output : {"overlay", "mask"})
    for (const BadResult& bad : bad_results()) {
      Bench bench({{"output", output},
                   {"on-error", policy.on_error},
                   {"mode", "every-frame"},
                   {"model-file", bad.script}},
                  policy.upstream);
      ck_assert(bench.send_caps(kCaps));
      ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
      const BufferPtr first = bench.pull();
      const bool passes = policy.passes && bad.passes;
      BufferPtr frame = good_frame();
      GstBuffer* in = frame.get();
      ck_assert_int_eq(bench.push(std::move(frame)), passes ? GST_FLOW_OK : GST_FLOW_ERROR);
      assert_only(passes ? bench.warnings() : bench.errors(), bad.domain, bad.code, "");
      const BufferPtr out = bench.pull();
      if (!passes) {
        ck_assert_msg(out == nullptr, "%s", bad.script);
        continue;
      }
      if (std::string(output) == "mask") {
        assert_zero_mask(out.get());
      } else {
        ck_assert(out.get() == in);
        ck_assert(is_uniform(out.get(), 200));
        ck_assert(!is_gap(out.get()));
      }
      // The next frame is none the worse for it.
      ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
      const BufferPtr next = bench.pull();
      ck_assert_msg(bytes_of(next.get()) == bytes_of(first.get()), "%s", bad.script);
      ck_assert_uint_eq(bench.stat("faulty"), 1);
      ck_assert_uint_eq(bench.stat("inferred"), 2);
      ck_assert_uint_eq(bench.stat("frames"), 3);
    }
}
END_TEST

// The frames after it would fare no better, so that nothing is passed on.
START_TEST(test_b7_a_lost_gpu_ends_the_stream_whatever_on_error_says) {
  const Policy& policy = kPolicies[_i];
  for (const char* mode : {"every-frame", "latest"}) {
    Bench bench(
        {{"on-error", policy.on_error}, {"mode", mode}, {"model-file", "fake:device-lost-at=2.."}},
        policy.upstream);
    ck_assert(bench.send_caps(kCaps));
    GstFlowReturn flow = bench.push(good_frame());
    ck_assert_int_eq(flow, GST_FLOW_OK);
    // In latest mode the fault is seen by a later frame than the one that it struck.
    while (flow == GST_FLOW_OK) flow = bench.push(good_frame());
    ck_assert_int_eq(flow, GST_FLOW_ERROR);
    assert_only(bench.errors(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "scripted fault");
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_NULL),
                     GST_STATE_CHANGE_SUCCESS);
    set_properties(bench.element(), {{"model-file", "fake:"}});
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                     GST_STATE_CHANGE_SUCCESS);
  }
}
END_TEST

START_TEST(test_thirty_faulty_frames_in_a_row_always_fail) {
  Bench bench({{"output", "mask"}, {"on-error", "pass"}, {"model-file", "fake:nan-at=2..30"}});
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
  for (int i = 0; i < 29; ++i) ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
  ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);  // ends the row
  ck_assert_uint_eq(bench.stat("faulty"), 29);
  ck_assert_uint_eq(bench.stat("inferred"), 2);
  for (int i = 0; i < 29; ++i) ck_assert_int_eq(bench.push(bytes_buffer(1, 0)), GST_FLOW_OK);
  ck_assert_int_eq(bench.push(bytes_buffer(1, 0)), GST_FLOW_ERROR);
  assert_only(bench.errors(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "");
}
END_TEST

START_TEST(test_warnings_come_once_a_second_and_kind) {
  Bench bench({{"on-error", "pass"}, {"model-file", "fake:nan-at=1..14"}});
  ck_assert(bench.send_caps(kCaps));
  const gint64 begin = g_get_monotonic_time();
  for (int i = 0; i < 14; ++i) {
    ck_assert_int_eq(bench.push(good_frame()), GST_FLOW_OK);
    ck_assert_int_eq(bench.push(bytes_buffer(1, 0)), GST_FLOW_OK);
  }
  const gint64 seconds = (g_get_monotonic_time() - begin) / G_USEC_PER_SEC;
  int formats = 0, results = 0;
  for (const Notice& warning : bench.warnings())
    ++(warning.code == GST_STREAM_ERROR_FORMAT ? formats : results);
  ck_assert_int_ge(formats, 1);
  ck_assert_int_ge(results, 1);
  ck_assert_int_le(formats, 1 + seconds);
  ck_assert_int_le(results, 1 + seconds);
  ck_assert_uint_eq(bench.stat("faulty"), 28);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("faulty frames");
  TCase* tests = tcase_create("on-error");
  tcase_set_timeout(tests, 60);
  const int policies = static_cast<int>(G_N_ELEMENTS(kPolicies));
  tcase_add_loop_test(tests, test_c4_c5_buffers_that_lie_are_answered_as_on_error_says, 0,
                      policies);
  tcase_add_test(tests, test_c4_of_a_larger_meta_the_region_of_the_caps_is_used);
  tcase_add_test(tests, test_c5_a_row_needs_no_padding_after_the_last_one);
  tcase_add_loop_test(tests, test_b8_a_network_that_fails_is_answered_as_on_error_says, 0,
                      policies);
  tcase_add_loop_test(tests, test_b7_a_lost_gpu_ends_the_stream_whatever_on_error_says, 0,
                      policies);
  tcase_add_test(tests, test_thirty_faulty_frames_in_a_row_always_fail);
  tcase_add_test(tests, test_warnings_come_once_a_second_and_kind);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
