// SPDX-License-Identifier: MIT
// The property output, changed while frames flow.
#include <optional>

#include "tests/assertions.h"
#include "tests/plugin/flow_log.h"
#include "tests/plugin/mask_sink.h"
#include "tests/plugin/pictures.h"

namespace {

const std::string kCaps = caps_of("NV12", 8, 8);

struct Kind {
  const char *output, *caps;
};
const Kind kKinds[] = {{"overlay", "NV12 8x8"},
                       {"mask", "GRAY8 8x8"},
                       {"probability", "GRAY8 8x8"},
                       {"cutout", "RGBA 8x8"},
                       {"none", "NV12 8x8"}};

// A grey frame: its red is 200 (lesion) or 20.
constexpr int kLesion = 188, kSkin = 33;  // luma of those

BufferPtr frame(int luma, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  BufferPtr buffer = bytes_buffer(96, 128, pts);
  gst_buffer_memset(buffer.get(), 0, static_cast<guint8>(luma), 64);
  return buffer;
}

Properties properties(const char* output, const Properties& more = {}) {
  Properties all = {
      {"output", output}, {"color", "0xff000000"}, {"opacity", "1"}, {"contour-width", "0"}};
  all.all.insert(all.all.end(), more.all.begin(), more.all.end());
  return all;
}

void set_output(Bench& bench, const char* output) {
  set_properties(bench.element(), {{"output", output}});
}

std::string output_of(Bench& bench) {
  GEnumClass* names = G_ENUM_CLASS(g_type_class_ref(g_type_from_name("GstUnetsegOutput")));
  gint value = 0;
  g_object_get(bench.element(), "output", &value, nullptr);
  const std::string nick = g_enum_get_value(names, value)->value_nick;
  g_type_class_unref(names);
  return nick;
}

void take_only(Bench& bench, const std::string& caps) {
  gst_harness_set_sink_caps_str(bench.harness(), caps.c_str());
}

// What `output` makes of a frame of one luma, at a pixel's first byte and, for cutouts, its alpha.
void assert_is(GstBuffer* buffer, const std::string& output, int luma) {
  const std::vector<guint8> bytes = bytes_of(buffer);
  const bool lesion = luma == kLesion;
  const int red = lesion ? 200 : 20;
  if (output == "cutout") {
    ck_assert_uint_eq(bytes.size(), 256);
    ck_assert_int_le(std::abs(bytes[0] - red), 2);
    ck_assert_int_eq(bytes[3], red);
    return;
  }
  const int expected = output == "mask"          ? (lesion ? 255 : 0)
                       : output == "probability" ? red
                       : output == "overlay"     ? (lesion ? 16 : luma)
                                                 : luma;
  ck_assert_uint_eq(bytes.size(), output == "mask" || output == "probability" ? 64 : 96);
  ck_assert_msg(std::abs(bytes[27] - expected) < 1, "%s: %d instead of %d", output.c_str(),
                bytes[27], expected);
}

}  // namespace

START_TEST(test_every_output_can_follow_every_other) {
  for (const Kind& from : kKinds)
    for (const Kind& to : kKinds) {
      if (&from == &to) continue;
      Bench bench(properties(from.output));
      FlowLog log(bench.harness()->sinkpad);
      ck_assert(bench.send_caps(kCaps));
      for (const int luma : {kLesion, kSkin})
        ck_assert_int_eq(bench.push(frame(luma)), GST_FLOW_OK);
      set_output(bench, to.output);
      for (const int luma : {kLesion, kSkin})
        ck_assert_int_eq(bench.push(frame(luma)), GST_FLOW_OK);
      const std::string news = std::string(from.caps) == to.caps ? "" : std::string(to.caps) + ", ";
      assert_equal(log.take(), std::string("stream-start, ") + from.caps +
                                   ", segment, buffer, buffer, " + news + "buffer, buffer");
      for (const char* output : {from.output, to.output})
        for (const int luma : {kLesion, kSkin}) assert_is(bench.pull().get(), output, luma);
      assert_equal(output_of(bench), to.output);
      ck_assert_uint_eq(bench.warnings().size(), 0);
    }
}
END_TEST

namespace {

// Looks at each buffer that leaves by a pad: its caps, its order, what is in it.
class Watch {
 public:
  explicit Watch(GstPad* pad) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, look, this, nullptr);
  }
  int frames() const { return frames_; }

 private:
  static GstPadProbeReturn look(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
    Watch& watch = *static_cast<Watch*>(self);
    GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    const CapsPtr caps(gst_pad_get_current_caps(pad));
    GstVideoInfo video;
    ck_assert(gst_video_info_from_caps(&video, caps.get()));
    const int number = watch.frames_++;
    ck_assert_uint_eq(GST_BUFFER_PTS(buffer), static_cast<GstClockTime>(number));
    ck_assert_uint_eq(gst_buffer_get_size(buffer), GST_VIDEO_INFO_SIZE(&video));
    const int luma = number % 2 == 0 ? kLesion : kSkin;
    const std::vector<guint8> bytes = bytes_of(buffer);
    const std::string format = GST_VIDEO_INFO_NAME(&video);
    if (format == "RGBA") {
      assert_is(buffer, "cutout", luma);
    } else if (format == "NV12") {
      const bool drawn_on = bytes[27] == 16;
      assert_is(buffer, drawn_on ? "overlay" : "none", luma);
    } else {
      const bool binary = bytes[27] == 0 || bytes[27] == 255;
      assert_is(buffer, binary ? "mask" : "probability", luma);
    }
    return GST_PAD_PROBE_OK;
  }

  int frames_ = 0;
};

}  // namespace

START_TEST(test_no_frame_is_lost_or_wrong_while_another_thread_switches) {
  for (const bool has_mask_pad : {false, true})
    for (const char* batch : {"1", "4"}) {
      Bench bench(properties("overlay", {{"batch-size", batch}}));
      std::optional<MaskSink> masks;
      if (has_mask_pad) masks.emplace(bench);
      Watch watch(bench.harness()->sinkpad);
      std::optional<Watch> mask_watch;
      if (masks) mask_watch.emplace(masks->harness()->sinkpad);
      ck_assert(bench.send_caps(kCaps));
      std::atomic<bool> stop{false};
      std::thread application([&] {
        for (int i = 0; !stop; ++i) {
          set_output(bench, kKinds[i % 5].output);
          g_usleep(20);
        }
      });
      const int frames = 1000;
      for (int i = 0; i < frames; ++i) {
        ck_assert_int_eq(
            bench.push(frame(i % 2 == 0 ? kLesion : kSkin, static_cast<GstClockTime>(i))),
            GST_FLOW_OK);
        bench.pull();
        if (masks) masks->pull();
      }
      stop = true;
      application.join();
      bench.send(gst_event_new_eos());
      ck_assert_int_eq(watch.frames(), frames);
      if (mask_watch) ck_assert_int_eq(mask_watch->frames(), frames);
      ck_assert_uint_eq(bench.stat("inferred"), frames);
      ck_assert_uint_eq(bench.warnings().size(), 0);
    }
}
END_TEST

START_TEST(test_what_downstream_refuses_is_not_begun_and_said) {
  const struct {
    const char *peer, *output;
  } cases[] = {{"video/x-raw,format=NV12", "mask"},
               {"video/x-raw,format=NV12", "probability"},
               {"video/x-raw,format={NV12,GRAY8,RGBx}", "cutout"}};
  for (const auto& c : cases) {
    Bench bench(properties("overlay"));
    take_only(bench, c.peer);
    FlowLog log(bench.harness()->sinkpad);
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    set_output(bench, c.output);
    int notified = 0;
    g_signal_connect(
        bench.element(), "notify::output",
        G_CALLBACK(+[](GObject*, GParamSpec*, gpointer count) { ++*static_cast<int*>(count); }),
        &notified);
    for (int i = 0; i < 3; ++i) ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    assert_equal(log.take(), "stream-start, NV12 8x8, segment, buffer, buffer, buffer, buffer");
    for (int i = 0; i < 4; ++i) assert_is(bench.pull().get(), "overlay", kLesion);
    assert_only(bench.warnings(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "videoconvert");
    assert_equal(output_of(bench), "overlay");
    ck_assert_int_eq(notified, 1);

    // What has been cured can be asked for again.
    take_only(bench, "video/x-raw");
    set_output(bench, c.output);
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    assert_is(bench.pull().get(), c.output, kLesion);
    ck_assert_uint_eq(bench.warnings().size(), 0);
  }
}
END_TEST

START_TEST(test_frames_that_wait_for_their_batch_leave_under_the_old_output) {
  Bench bench(properties("overlay", {{"batch-size", "4"}}));
  FlowLog log(bench.harness()->sinkpad);
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 2; ++i) bench.push(frame(kLesion));
  assert_equal(log.take(), "stream-start, NV12 8x8, segment");
  set_output(bench, "mask");
  for (int i = 0; i < 3; ++i) bench.push(frame(kSkin));
  assert_equal(log.take(), "buffer, buffer, GRAY8 8x8");
  for (int i = 0; i < 2; ++i) assert_is(bench.pull().get(), "overlay", kLesion);
  bench.push(frame(kSkin));
  assert_equal(log.take(), "buffer, buffer, buffer, buffer");
  for (int i = 0; i < 4; ++i) assert_is(bench.pull().get(), "mask", kSkin);
}
END_TEST

START_TEST(test_an_output_set_before_the_first_caps_begins_with_them) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING}) {
    Bench bench(properties("overlay"));
    FlowLog log(bench.harness()->sinkpad);
    gst_element_set_state(bench.element(), state);
    set_output(bench, "mask");
    gst_element_set_state(bench.element(), GST_STATE_PLAYING);
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    assert_equal(log.take(), "stream-start, GRAY8 8x8, segment, buffer");
  }
}
END_TEST

START_TEST(test_an_output_set_in_paused_without_frames_begins_with_the_first) {
  Bench bench(properties("overlay"));
  FlowLog log(bench.harness()->sinkpad);
  ck_assert(bench.send_caps(kCaps));
  gst_element_set_state(bench.element(), GST_STATE_PAUSED);
  set_output(bench, "cutout");
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
  assert_equal(log.take(), "stream-start, NV12 8x8, segment, RGBA 8x8, buffer");
  assert_is(bench.pull().get(), "cutout", kLesion);
}
END_TEST

START_TEST(test_new_caps_go_on_under_the_output_that_was_switched_to) {
  Bench bench(properties("overlay"));
  FlowLog log(bench.harness()->sinkpad);
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(kLesion));
  set_output(bench, "mask");
  bench.push(frame(kLesion));
  ck_assert(bench.send_caps(caps_of("RGB", 6, 4)));
  ck_assert_int_eq(bench.push(bytes_buffer(80, 200)), GST_FLOW_OK);
  assert_equal(log.take(),
               "stream-start, NV12 8x8, segment, buffer, GRAY8 8x8, buffer, GRAY8 6x4, buffer");
}
END_TEST

START_TEST(test_a_buffer_without_caps_switches_nothing) {
  Bench bench(properties("mask"));
  bench.send(gst_event_new_stream_start("no caps"));
  bench.send_segment();
  ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_NOT_NEGOTIATED);
  assert_equal(output_of(bench), "mask");
  ck_assert_uint_eq(bench.warnings().size(), 0);
}
END_TEST

namespace {

// Begins a flush when it is asked whether it takes some caps.
GstPadProbeReturn flush_when_asked(GstPad*, GstPadProbeInfo* info, gpointer bench) {
  if (GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) != GST_QUERY_ACCEPT_CAPS)
    return GST_PAD_PROBE_OK;
  static_cast<Bench*>(bench)->send(gst_event_new_flush_start());
  return GST_PAD_PROBE_REMOVE;
}

}  // namespace

START_TEST(test_s5_a_flush_in_the_middle_of_a_switch_spoils_neither) {
  const std::pair<const char*, const char*> cases[] = {
      {"mask", "flush-start, flush-stop, GRAY8 8x8, segment, buffer"},
      {"overlay", "flush-start, flush-stop, GRAY8 8x8, segment, NV12 8x8, buffer"}};
  for (const auto& then : cases) {
    Bench bench(properties("overlay"));
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    bench.pull();
    gst_pad_add_probe(
        bench.harness()->sinkpad,
        static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM | GST_PAD_PROBE_TYPE_PUSH),
        flush_when_asked, &bench, nullptr);
    set_output(bench, "mask");
    FlowLog log(bench.harness()->sinkpad);
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_FLUSHING);
    assert_equal(output_of(bench), "mask");
    ck_assert_uint_eq(bench.warnings().size(), 0);

    set_output(bench, then.first);
    bench.send(gst_event_new_flush_stop(TRUE));
    bench.send_segment();
    ck_assert_int_eq(bench.push(frame(kLesion)), GST_FLOW_OK);
    assert_equal(log.take(), then.second);
    assert_is(bench.pull().get(), then.first, kLesion);
  }
}
END_TEST

// Stopping makes the pad refuse everything: that is not what comes after.
START_TEST(test_s8_stops_in_the_middle_of_switches_warn_of_nothing) {
  Bench bench(properties("overlay"));
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 100; ++i) {
    GstFlowReturn flow = GST_FLOW_OK;
    std::thread streaming([&] {
      for (int k = 0; flow == GST_FLOW_OK; ++k) {
        set_output(bench, kKinds[k % 5].output);
        flow = bench.push(frame(kLesion));
        bench.pull();
      }
    });
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_READY),
                     GST_STATE_CHANGE_SUCCESS);
    streaming.join();
    ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                     GST_STATE_CHANGE_SUCCESS);
  }
  ck_assert_uint_eq(bench.warnings().size(), 0);
}
END_TEST

// Upstream was told that frames may lie in any way while they were not passed on.
START_TEST(test_c3_frames_that_the_new_peer_cannot_read_as_they_lie_are_copied) {
  for (const char* output : {"none", "overlay"})
    for (const int luma : {kLesion, kSkin}) {
      Bench bench(properties("mask"), Upstream::not_live, PeerMeta::none);
      ck_assert(bench.send_caps(kCaps));
      TestFrame pixels(kNv12, 8, 8);
      pixels.set_all(0, luma);
      for (const int chroma : {1, 2}) pixels.set_all(chroma, 128);
      const PlacedFrame padded(info_of(kCaps), Layout::padded);
      bench.push(padded.buffer(pixels));
      bench.pull();
      set_output(bench, output);
      ck_assert_int_eq(bench.push(padded.buffer(pixels)), GST_FLOW_OK);
      const BufferPtr out = bench.pull();
      ck_assert(gst_buffer_get_video_meta(out.get()) == nullptr);
      assert_is(out.get(), output, luma);
    }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("output switch");
  TCase* tests = tcase_create("output switch");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_every_output_can_follow_every_other);
  tcase_add_test(tests, test_no_frame_is_lost_or_wrong_while_another_thread_switches);
  tcase_add_test(tests, test_what_downstream_refuses_is_not_begun_and_said);
  tcase_add_test(tests, test_frames_that_wait_for_their_batch_leave_under_the_old_output);
  tcase_add_test(tests, test_an_output_set_before_the_first_caps_begins_with_them);
  tcase_add_test(tests, test_an_output_set_in_paused_without_frames_begins_with_the_first);
  tcase_add_test(tests, test_new_caps_go_on_under_the_output_that_was_switched_to);
  tcase_add_test(tests, test_a_buffer_without_caps_switches_nothing);
  tcase_add_test(tests, test_s5_a_flush_in_the_middle_of_a_switch_spoils_neither);
  tcase_add_test(tests, test_s8_stops_in_the_middle_of_switches_warn_of_nothing);
  tcase_add_test(tests, test_c3_frames_that_the_new_peer_cannot_read_as_they_lie_are_copied);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
