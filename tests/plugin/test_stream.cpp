// SPDX-License-Identifier: MIT
// Everything in the stream that is no plain frame: gaps, segments, flags, end, flushes.
#include "tests/temporary_folder.h"

#include "tests/assertions.h"
#include "tests/plugin/flow_log.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame(GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, 200, pts);
}

BufferPtr flagged(GstBufferFlags flag) {
  BufferPtr buffer = frame();
  GST_BUFFER_FLAG_SET(buffer.get(), flag);
  return buffer;
}

// What keeps a source from sending frames between a flush and its new segment.
class StreamLock {
 public:
  explicit StreamLock(GstPad* pad) : pad_(pad) { GST_PAD_STREAM_LOCK(pad_); }
  ~StreamLock() { GST_PAD_STREAM_UNLOCK(pad_); }

 private:
  GstPad* pad_;
};

// The newest event of its kind that came out, or NULL.
GstEvent* last_event(Bench& bench, GstEventType type) {
  GstEvent* last = nullptr;
  while (GstEvent* event = gst_harness_try_pull_event(bench.harness())) {
    if (GST_EVENT_TYPE(event) == type) gst_event_replace(&last, event);
    gst_event_unref(event);
  }
  return last;
}

}  // namespace

START_TEST(test_s1_gap_frames_pass_without_inference_or_mask) {
  for (const char* output : {"overlay", "mask", "probability"}) {
    Bench bench({{"output", output}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    bench.pull();
    BufferPtr gap = flagged(GST_BUFFER_FLAG_GAP);
    GST_BUFFER_PTS(gap.get()) = GST_SECOND;
    GstBuffer* in = gap.get();
    ck_assert_int_eq(bench.push(std::move(gap)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(is_gap(out.get()));
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), GST_SECOND);
    const bool untouched = std::string(output) == "overlay";
    ck_assert_int_eq(out.get() == in, untouched);
    ck_assert(is_uniform(out.get(), untouched ? 200 : 0));
    ck_assert_uint_eq(bench.stat("inferred"), 1);
    ck_assert_uint_eq(bench.stat("gaps"), 1);
    ck_assert_uint_eq(bench.stat("frames"), 2);
  }
}
END_TEST

START_TEST(test_s1_s4_serialized_events_keep_their_place) {
  Bench bench;
  FlowLog log(bench.harness()->sinkpad);
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame());
  bench.send(gst_event_new_gap(GST_SECOND, GST_SECOND));
  bench.push(frame());
  bench.send(gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "mole", nullptr)));
  bench.send_segment();
  bench.push(frame());
  bench.send(gst_event_new_eos());
  assert_equal(log.take(),
               "stream-start, GRAY8 8x8, segment, buffer, gap, buffer, tag, segment, buffer, "
               "eos");
}
END_TEST

START_TEST(test_s4_segments_are_forwarded_as_they_are) {
  struct {
    GstFormat format;
    double rate;
    guint64 base;
  } const cases[] = {{GST_FORMAT_TIME, 1, 0},
                     {GST_FORMAT_TIME, 2.5, 7 * GST_SECOND},
                     {GST_FORMAT_TIME, -1, 0},
                     {GST_FORMAT_BYTES, 1, 0}};
  for (const auto& c : cases) {
    Bench bench;
    ck_assert(bench.send_caps(kCaps));
    GstSegment segment;
    gst_segment_init(&segment, c.format);
    segment.rate = c.rate;
    segment.base = c.base;
    segment.start = 3;
    segment.stop = 1000;
    GstEvent* event = gst_event_new_segment(&segment);
    const guint32 number = gst_event_get_seqnum(event);
    ck_assert(bench.send(event));
    ck_assert_int_eq(bench.push(frame(5)), GST_FLOW_OK);
    GstEvent* got = last_event(bench, GST_EVENT_SEGMENT);
    ck_assert(got != nullptr);
    const GstSegment* forwarded = nullptr;
    gst_event_parse_segment(got, &forwarded);
    ck_assert(gst_segment_is_equal(forwarded, &segment));
    ck_assert_uint_eq(gst_event_get_seqnum(got), number);
    gst_event_unref(got);
  }
}
END_TEST

START_TEST(test_s2_frames_without_timestamps_are_segmented_like_others) {
  for (const char* output : {"overlay", "mask"}) {
    Bench bench({{"output", output}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(!GST_BUFFER_PTS_IS_VALID(out.get()));
    ck_assert(!GST_BUFFER_DURATION_IS_VALID(out.get()));
    ck_assert_uint_eq(bench.stat("inferred"), 1);
  }
}
END_TEST

START_TEST(test_s3_flags_stay_on_the_frame) {
  const GstBufferFlags flags[] = {GST_BUFFER_FLAG_DISCONT, GST_BUFFER_FLAG_RESYNC,
                                  GST_BUFFER_FLAG_CORRUPTED, GST_BUFFER_FLAG_MARKER};
  for (const char* output : {"overlay", "mask"}) {
    Bench bench({{"output", output}});
    ck_assert(bench.send_caps(kCaps));
    for (const GstBufferFlags flag : flags) {
      ck_assert_int_eq(bench.push(flagged(flag)), GST_FLOW_OK);
      ck_assert_uint_ne(GST_BUFFER_FLAGS(bench.pull().get()) & flag, 0);
    }
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    const BufferPtr plain = bench.pull();
    for (const GstBufferFlags flag : flags)
      ck_assert_uint_eq(GST_BUFFER_FLAGS(plain.get()) & flag, 0);
  }
}
END_TEST

START_TEST(test_s6_one_eos_comes_out_and_frames_after_it_get_eos) {
  // Before caps, before the first frame, after one.
  for (int stage = 0; stage < 3; ++stage) {
    Bench bench;
    FlowLog log(bench.harness()->sinkpad);
    if (stage == 0) bench.send(gst_event_new_stream_start("bench"));
    if (stage > 0) ck_assert(bench.send_caps(kCaps));
    if (stage > 1) ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    bench.send(gst_event_new_eos());
    const char* const expected[] = {"stream-start, eos", "stream-start, GRAY8 8x8, segment, eos",
                                    "stream-start, GRAY8 8x8, segment, buffer, eos"};
    assert_equal(log.take(), expected[stage]);
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_EOS);
    assert_equal(log.take(), "");
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

// Nothing here waits for a time: the inference goes on when the test says so.
START_TEST(test_s5_a_flush_waits_for_no_inference_and_no_old_result_follows_it) {
  for (const char* output : {"overlay", "mask"}) {
    const TemporaryFolder gate;
    Bench bench({{"output", output}, {"model-file", "fake:gate=" + gate.path()}});
    FlowLog log(bench.harness()->sinkpad);
    ck_assert(bench.send_caps(kCaps));
    log.take();
    GstFlowReturn flow = GST_FLOW_OK;
    std::thread streaming([&] { flow = bench.push(frame(1)); });
    wait_for_file(gate.path() + "/begun");
    bench.send(gst_event_new_flush_start());
    streaming.join();
    ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
    ck_assert(!std::filesystem::exists(gate.path() + "/done"));

    bench.send(gst_event_new_flush_stop(TRUE));
    bench.send_segment();
    std::ofstream(gate.path() + "/go");
    BufferPtr dark = bytes_buffer(64, 10, 2);
    ck_assert_int_eq(bench.push(std::move(dark)), GST_FLOW_OK);
    assert_equal(log.take(), "flush-start, flush-stop, segment, buffer");
    const BufferPtr out = bench.pull();
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), 2);
    // A bright frame's mask would show.
    ck_assert(is_uniform(out.get(), std::string(output) == "mask" ? 0 : 10));
    ck_assert_uint_eq(bench.stat("inferred"), 1);
  }
}
END_TEST

START_TEST(test_s5_an_error_of_a_flushed_frame_is_forgotten) {
  const TemporaryFolder gate;
  Bench bench({{"model-file", "fake:exception-at=1,gate=" + gate.path()}});
  ck_assert(bench.send_caps(kCaps));
  GstFlowReturn flow = GST_FLOW_OK;
  std::thread streaming([&] { flow = bench.push(frame()); });
  wait_for_file(gate.path() + "/begun");
  bench.send(gst_event_new_flush_start());
  streaming.join();
  ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
  bench.send(gst_event_new_flush_stop(TRUE));
  bench.send_segment();
  std::ofstream(gate.path() + "/go");
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  ck_assert_uint_eq(bench.errors().size(), 0);
}
END_TEST

START_TEST(test_s5_a_thousand_flushes) {
  Bench bench({{"output", "mask"}});
  ck_assert(bench.send_caps(kCaps));
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::thread streaming([&] {
    while (!stop) {
      const StreamLock lock(bench.harness()->srcpad);
      const GstFlowReturn flow = bench.push(frame());
      if (flow != GST_FLOW_OK && flow != GST_FLOW_FLUSHING) ++failed;
      bench.pull();
    }
  });
  for (int i = 0; i < 1000; ++i) {
    bench.send(gst_event_new_flush_start());
    const StreamLock lock(bench.harness()->srcpad);
    bench.send(gst_event_new_flush_stop(TRUE));
    bench.send_segment();
  }
  stop = true;
  streaming.join();
  ck_assert_int_eq(failed, 0);
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  ck_assert_uint_eq(bench.errors().size(), 0);
}
END_TEST

START_TEST(test_s10_what_downstream_answers_goes_upstream_unchanged) {
  for (const GstFlowReturn answer : {GST_FLOW_FLUSHING, GST_FLOW_EOS, GST_FLOW_NOT_LINKED,
                                     GST_FLOW_NOT_NEGOTIATED, GST_FLOW_ERROR}) {
    Bench bench;
    ck_assert(bench.send_caps(kCaps));
    const auto reply = [](GstPad*, GstPadProbeInfo* info, gpointer flow) {
      gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
      GST_PAD_PROBE_INFO_FLOW_RETURN(info) = *static_cast<const GstFlowReturn*>(flow);
      return GST_PAD_PROBE_HANDLED;
    };
    GstFlowReturn flow = answer;
    gst_pad_add_probe(bench.harness()->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, reply, &flow, nullptr);
    ck_assert_int_eq(bench.push(frame()), answer);
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

START_TEST(test_upstream_events_pass) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  while (GstEvent* event = gst_harness_try_pull_upstream_event(bench.harness()))
    gst_event_unref(event);
  const auto events = {
      gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, .5, 1, 2),
      gst_event_new_seek(1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, 0,
                         GST_SEEK_TYPE_NONE, 0),
      gst_event_new_navigation(gst_structure_new_empty("click")),
      gst_event_new_reconfigure(),
      gst_event_new_latency(GST_SECOND),
  };
  for (GstEvent* event : events) {
    const GstEventType type = GST_EVENT_TYPE(event);
    gst_harness_push_upstream_event(bench.harness(), event);
    GstEvent* got = gst_harness_try_pull_upstream_event(bench.harness());
    ck_assert_msg(got != nullptr && GST_EVENT_TYPE(got) == type, "%s",
                  gst_event_type_get_name(type));
    gst_event_unref(got);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("stream");
  TCase* tests = tcase_create("events");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_s1_gap_frames_pass_without_inference_or_mask);
  tcase_add_test(tests, test_s1_s4_serialized_events_keep_their_place);
  tcase_add_test(tests, test_s4_segments_are_forwarded_as_they_are);
  tcase_add_test(tests, test_s2_frames_without_timestamps_are_segmented_like_others);
  tcase_add_test(tests, test_s3_flags_stay_on_the_frame);
  tcase_add_test(tests, test_s6_one_eos_comes_out_and_frames_after_it_get_eos);
  tcase_add_test(tests, test_s5_a_flush_waits_for_no_inference_and_no_old_result_follows_it);
  tcase_add_test(tests, test_s5_an_error_of_a_flushed_frame_is_forgotten);
  tcase_add_test(tests, test_s5_a_thousand_flushes);
  tcase_add_test(tests, test_s10_what_downstream_answers_goes_upstream_unchanged);
  tcase_add_test(tests, test_upstream_events_pass);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
