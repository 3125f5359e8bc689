// SPDX-License-Identifier: MIT
// Which caps the element takes, refuses and gives, and how it goes from one to the next.
#include "tests/plugin/flow_log.h"

namespace {

const char* const kRefused[] = {
    "video/x-raw,format=GRAY16_LE,width=8,height=8,framerate=30/1",
    "video/x-raw,format=v210,width=8,height=8,framerate=30/1",
    "video/x-raw(memory:DMABuf),format=NV12,width=8,height=8,framerate=30/1",      // C12
    "video/x-raw(memory:CUDAMemory),format=NV12,width=8,height=8,framerate=30/1",  // C12
    "video/x-raw(memory:NVMM),format=NV12,width=8,height=8,framerate=30/1",        // C12
    "video/x-raw(format:Interlaced),format=I420,width=8,height=8,framerate=30/1,"  // C8
    "interlace-mode=alternate",
    "video/x-raw,format=RGB,width=8,height=8,framerate=30/"
    "1,multiview-mode=separated,views=2",                               // C9
    "video/x-raw,format=RGBA,width=65535,height=65535,framerate=30/1",  // C2: above 4 GiB
    "video/x-raw,format=RGB,width=8,framerate=30/1",
    "video/x-raw,format=RGB,width=0,height=8,framerate=30/1",
    "image/jpeg,width=8,height=8,framerate=30/1",
};

const char* const kTaken[] = {
    "video/x-raw,format=RGBA,width=32767,height=32767,framerate=30/1",  // C2: just below 4 GiB
    "video/x-raw,format=RGB,width=1,height=1,framerate=30/1",           // C1
    "video/x-raw,format=RGB,width=8,height=8,framerate=0/1",            // C10
    "video/x-raw,format=RGB,width=8,height=8,framerate=2147483647/1",   // C10
    "video/x-raw,format=RGB,width=8,height=8,framerate=1/2147483647",   // C10
    "video/x-raw,format=RGB,width=8,height=8,framerate=30/1,pixel-aspect-ratio=16/15",
    "video/x-raw,format=I420,width=8,height=8,framerate=30/1,interlace-mode=interleaved",  // C8
    "video/x-raw,format=I420,width=8,height=8,framerate=30/1,interlace-mode=mixed",        // C8
    "video/x-raw,format=RGB,width=8,height=8,framerate=30/1,multiview-mode=mono",          // C9
    "video/x-raw,format=RGB,width=8,height=8,framerate=30/1,multiview-mode=side-by-side",  // C9
};

bool is_accepted(GstElement* element, const char* text) {
  GstPad* pad = gst_element_get_static_pad(element, "sink");
  const CapsPtr caps(gst_caps_from_string(text));
  const bool accepted = gst_pad_query_accept_caps(pad, caps.get());
  gst_object_unref(pad);
  return accepted;
}

gsize frame_size(const std::string& caps) {
  const CapsPtr parsed(gst_caps_from_string(caps.c_str()));
  GstVideoInfo info;
  ck_assert(gst_video_info_from_caps(&info, parsed.get()));
  return GST_VIDEO_INFO_SIZE(&info);
}

}  // namespace

START_TEST(test_c2_c8_c9_c11_c12_refused_caps_stop_nothing_but_their_own_frames) {
  for (const char* output : {"overlay", "mask"}) {
    Bench bench({{"output", output}});
    for (const char* caps : kRefused) {
      ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8)));
      ck_assert_int_eq(bench.push(bytes_buffer(64, 200)), GST_FLOW_OK);
      ck_assert(bench.pull() != nullptr);

      ck_assert_msg(!is_accepted(bench.element(), caps), "accepted: %s", caps);
      bench.send_caps(caps);
      ck_assert_msg(bench.push(bytes_buffer(64, 200)) == GST_FLOW_NOT_NEGOTIATED, "%s", caps);
      ck_assert(bench.pull() == nullptr);
    }
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

START_TEST(test_c1_c2_c8_c9_c10_unusual_caps_are_taken) {
  for (const char* caps : kTaken) {
    Bench bench;
    ck_assert_msg(is_accepted(bench.element(), caps), "%s", caps);
    ck_assert_msg(bench.send_caps(caps), "%s", caps);
    if (frame_size(caps) < 1 << 20)
      ck_assert_msg(bench.push(bytes_buffer(frame_size(caps), 0)) == GST_FLOW_OK, "%s", caps);
  }
}
END_TEST

START_TEST(test_a_buffer_without_caps_is_not_negotiated) {
  Bench bench;
  bench.send(gst_event_new_stream_start("no caps"));
  bench.send_segment();
  ck_assert_int_eq(bench.push(bytes_buffer(64, 0)), GST_FLOW_NOT_NEGOTIATED);
  ck_assert_uint_eq(bench.errors().size(), 0);
}
END_TEST

START_TEST(test_c11_frames_leave_under_their_own_caps_and_none_is_lost) {
  const std::pair<const char*, const char*> cases[] = {
      {"overlay",
       "GRAY8 8x8, segment, buffer, buffer, RGB 8x8, buffer, buffer, RGB 9x7, buffer, buffer"},
      {"mask",
       "GRAY8 8x8, segment, buffer, buffer, GRAY8 8x8, buffer, buffer, GRAY8 9x7, buffer, buffer"}};
  const std::string steps[] = {caps_of("GRAY8", 8, 8), caps_of("RGB", 8, 8), caps_of("RGB", 9, 7)};
  for (const auto& c : cases) {
    Bench bench({{"output", c.first}});
    FlowLog log(bench.harness()->sinkpad);
    for (const std::string& caps : steps) {
      ck_assert(bench.send_caps(caps));
      for (int i = 0; i < 2; ++i)
        ck_assert_int_eq(bench.push(bytes_buffer(frame_size(caps), 0)), GST_FLOW_OK);
    }
    const std::string flow = log.take();
    ck_assert_msg(flow == std::string("stream-start, ") + c.second, "%s: %s", c.first,
                  flow.c_str());
  }
}
END_TEST

START_TEST(test_c11_the_source_caps_keep_size_rate_and_aspect_ratio) {
  struct {
    const char *output, *in, *out;
  } const cases[] = {
      {"overlay", "format=NV12,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3",
       "format=NV12,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3"},
      {"overlay", "format=I420,width=9,height=7,framerate=0/1,colorimetry=bt709,chroma-site=jpeg",
       "format=I420,width=9,height=7,framerate=0/1,colorimetry=bt709,chroma-site=jpeg"},
      {"mask", "format=NV12,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3",
       "format=GRAY8,width=9,height=7,framerate=5/2,pixel-aspect-ratio=4/3"},
      {"probability",
       "format=I420,width=9,height=7,framerate=0/1,colorimetry=bt709,chroma-site=jpeg",
       "format=GRAY8,width=9,height=7,framerate=0/1"}};
  for (const auto& c : cases) {
    Bench bench({{"output", c.output}});
    ck_assert(bench.send_caps(std::string("video/x-raw,") + c.in));
    const CapsPtr got(gst_pad_get_current_caps(bench.harness()->sinkpad));
    const CapsPtr expected(gst_caps_from_string((std::string("video/x-raw,") + c.out).c_str()));
    gchar* text = gst_caps_to_string(got.get());
    ck_assert_msg(gst_caps_is_equal(got.get(), expected.get()), "%s: %s", c.output, text);
    g_free(text);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("caps");
  TCase* tests = tcase_create("negotiation");
  tcase_add_test(tests, test_c2_c8_c9_c11_c12_refused_caps_stop_nothing_but_their_own_frames);
  tcase_add_test(tests, test_c1_c2_c8_c9_c10_unusual_caps_are_taken);
  tcase_add_test(tests, test_a_buffer_without_caps_is_not_negotiated);
  tcase_add_test(tests, test_c11_frames_leave_under_their_own_caps_and_none_is_lost);
  tcase_add_test(tests, test_c11_the_source_caps_keep_size_rate_and_aspect_ratio);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
