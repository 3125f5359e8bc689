// SPDX-License-Identifier: MIT
// mode=latest and its kin: what frames get that do not wait for their own masks.
#include "tests/plugin/gate.h"

#include "tests/assertions.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame(guint8 value, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, value, pts);
}

// Pushes frames until the worker has given back what it was working on: the file that a gate makes
// at the end of an inference comes a moment before the worker is free.
void push_until_inferred(Bench& bench, guint64 inferences, guint8 value, GstClockTime pts) {
  while (bench.stat("inferred") < inferences) {
    ck_assert_int_eq(bench.push(frame(value, pts)), GST_FLOW_OK);
    if (bench.stat("inferred") < inferences) bench.pull();
  }
}

guint64 least_latency(Bench& bench) {
  GstClockTime least = 0;
  const QueryPtr query(gst_query_new_latency());
  ck_assert(gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
  gst_query_parse_latency(query.get(), nullptr, &least, nullptr);
  return least;
}

}  // namespace

START_TEST(test_no_frame_waits_for_an_inference) {
  Gate gate;
  Bench bench({{"output", "mask"}, {"mode", "latest"}, {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  // None of these pushes returns if it waits: the gate is shut.
  for (int i = 0; i < 5; ++i) ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
  for (int i = 0; i < 5; ++i) {
    const BufferPtr mask = bench.pull();
    ck_assert(is_gap(mask.get()));
    ck_assert(is_uniform(mask.get(), 0));
  }
  ck_assert_uint_eq(bench.stat("inferred"), 1);
  ck_assert_uint_eq(bench.stat("gaps"), 4);
  gate.wait_until_begun();
  gate.open();
}
END_TEST

START_TEST(test_frames_get_the_newest_finished_mask) {
  Gate gate;
  Bench bench({{"output", "mask"}, {"mode", "latest"}, {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(200));
  bench.pull();
  gate.wait_until_begun();
  gate.open();
  gate.close();
  push_until_inferred(bench, 2, 0, GST_CLOCK_TIME_NONE);
  BufferPtr mask = bench.pull();
  ck_assert_msg(is_uniform(mask.get(), 255), "the mask of the first frame is not shown");
  ck_assert(!is_gap(mask.get()));
  gate.wait_until_begun();
  gate.open();
  gate.close();
  push_until_inferred(bench, 3, 200, GST_CLOCK_TIME_NONE);
  mask = bench.pull();
  ck_assert_msg(is_uniform(mask.get(), 0) && !is_gap(mask.get()), "the second mask is not shown");
  gate.wait_until_begun();
  gate.open();
  ck_assert_uint_eq(bench.stat("frames"),
                    bench.stat("inferred") + bench.stat("held") + bench.stat("gaps"));
}
END_TEST

START_TEST(test_a_mask_that_is_too_old_is_not_shown) {
  const struct {
    const char* max_age;
    GstClockTime pts;
    bool shown;
  } cases[] = {{"100000000", 100 * GST_MSECOND, true},
               {"100000000", 101 * GST_MSECOND, false},
               {"0", GST_SECOND * 3600, true},
               {"-1", 500 * GST_MSECOND, true},
               {"-1", 3600 * GST_SECOND, false}};
  for (const auto& c : cases) {
    Gate gate;
    Bench bench({{"output", "mask"},
                 {"mode", "latest"},
                 {"max-mask-age", c.max_age},
                 {"model-file", gate.script()}});
    ck_assert(bench.send_caps(kCaps));
    bench.push(frame(200, 0));
    bench.pull();
    gate.wait_until_begun();
    gate.open();
    gate.close();
    push_until_inferred(bench, 2, 200, c.pts);
    const BufferPtr mask = bench.pull();
    ck_assert_msg(is_gap(mask.get()) == !c.shown, "max-mask-age=%s, %" GST_TIME_FORMAT, c.max_age,
                  GST_TIME_ARGS(c.pts));
    gate.wait_until_begun();
    gate.open();
  }
}
END_TEST

START_TEST(test_auto_is_latest_in_live_pipelines_alone) {
  for (const Upstream upstream : {Upstream::live, Upstream::not_live}) {
    Bench bench({{"output", "mask"}, {"model-file", "fake:delay-ms=2"}}, upstream);
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
    ck_assert_int_eq(is_gap(bench.pull().get()), upstream == Upstream::live);
  }
}
END_TEST

START_TEST(test_latest_mode_adds_no_latency) {
  for (const char* mode : {"latest", "every-frame"}) {
    Bench bench({{"mode", mode}, {"model-file", "fake:delay-ms=5"}}, Upstream::live);
    ck_assert(bench.send_caps(kCaps));
    const bool adds = least_latency(bench) >= 5 * GST_MSECOND;
    ck_assert_int_eq(adds, std::string(mode) == "every-frame");
  }
}
END_TEST

START_TEST(test_nothing_is_carried_over_a_discontinuity) {
  const struct {
    const char* name;
    void (*happens)(Bench& bench);
  } cases[] = {
      {"caps", [](Bench& bench) { bench.send_caps(caps_of("GRAY8", 8, 8, "framerate=25/1")); }},
      {"segment", [](Bench& bench) { bench.send_segment(); }},
      {"flush",
       [](Bench& bench) {
         bench.send(gst_event_new_flush_start());
         bench.send(gst_event_new_flush_stop(TRUE));
         bench.send_segment();
       }},
  };
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"inference-interval", "1000"}, {"mode", "every-frame"}});
    ck_assert(bench.send_caps(kCaps));
    bench.push(frame(200));
    bench.push(frame(0));
    bench.pull();
    ck_assert_msg(is_uniform(bench.pull().get(), 255), "the mask before is not held");
    c.happens(bench);
    bench.push(frame(0));
    ck_assert_msg(is_uniform(bench.pull().get(), 0), "a mask was carried over: %s", c.name);
    ck_assert_uint_eq(bench.stat("inferred"), 2);
  }
}
END_TEST

START_TEST(test_s3_a_discont_frame_gets_a_mask_of_its_own) {
  Bench bench({{"output", "mask"}, {"inference-interval", "1000"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(200));
  bench.pull();
  BufferPtr discont = frame(0);
  GST_BUFFER_FLAG_SET(discont.get(), GST_BUFFER_FLAG_DISCONT);
  bench.push(std::move(discont));
  ck_assert(is_uniform(bench.pull().get(), 0));
}
END_TEST

START_TEST(test_a_mask_begun_before_a_discontinuity_is_never_shown) {
  Gate gate;
  Bench bench({{"output", "mask"}, {"mode", "latest"}, {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(200));
  bench.pull();
  gate.wait_until_begun();
  bench.send_segment();
  gate.open();
  gate.close();
  push_until_inferred(bench, 2, 0, GST_CLOCK_TIME_NONE);
  ck_assert(is_gap(bench.pull().get()));
  gate.wait_until_begun();
  gate.open();
}
END_TEST

START_TEST(test_inference_interval_is_exact) {
  for (const int interval : {1, 2, 3, 7}) {
    Bench bench({{"output", "mask"}, {"inference-interval", std::to_string(interval)}});
    ck_assert(bench.send_caps(kCaps));
    for (int i = 0; i < 14; ++i) {
      // Frames that are inferred have lesion or not by turns, the others have the opposite.
      const bool has_own = i % interval == 0, lesion = i / interval % 2 == 0;
      bench.push(frame(lesion == has_own ? 200 : 0));
      ck_assert_msg(is_uniform(bench.pull().get(), lesion ? 255 : 0), "interval %d, frame %d",
                    interval, i);
    }
    const guint64 inferred = static_cast<guint64>((13 + interval) / interval);
    ck_assert_uint_eq(bench.stat("inferred"), inferred);
    ck_assert_uint_eq(bench.stat("held"), 14 - inferred);
  }
}
END_TEST

START_TEST(test_b8_a_failed_inference_reaches_the_next_frame) {
  for (const bool passes : {true, false}) {
    Bench bench({{"output", "mask"},
                 {"mode", "latest"},
                 {"on-error", passes ? "pass" : "fail"},
                 {"model-file", "fake:nan-at=1"}});
    ck_assert(bench.send_caps(kCaps));
    GstFlowReturn flow = GST_FLOW_OK;
    while (flow == GST_FLOW_OK && bench.stat("faulty") == 0) {
      flow = bench.push(frame(200));
      ck_assert(flow != GST_FLOW_OK || is_gap(bench.pull().get()));
    }
    ck_assert_int_eq(flow, passes ? GST_FLOW_OK : GST_FLOW_ERROR);
    assert_only(passes ? bench.warnings() : bench.errors(), GST_STREAM_ERROR,
                GST_STREAM_ERROR_FAILED, "");
    if (!passes) continue;
    push_until_inferred(bench, 3, 200, GST_CLOCK_TIME_NONE);
    ck_assert(is_uniform(bench.pull().get(), 255));
  }
}
END_TEST

START_TEST(test_s6_the_inference_that_runs_at_the_end_is_waited_for_and_posted) {
  for (const bool fails : {false, true}) {
    Bench bench({{"mode", "latest"},
                 {"post-messages", "true"},
                 {"model-file", fails ? "fake:delay-ms=20,nan-at=1" : "fake:delay-ms=20"}});
    ck_assert(bench.send_caps(kCaps));
    bench.push(frame(200, 7));
    ck_assert(bench.send(gst_event_new_eos()));
    if (fails) {
      assert_only(bench.warnings(), GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED, "");
      continue;
    }
    const std::vector<StructurePtr> results = bench.results();
    ck_assert_uint_eq(results.size(), 1);
    guint64 pts = 0;
    ck_assert(gst_structure_get_uint64(results[0].get(), "timestamp", &pts));
    ck_assert_uint_eq(pts, 7);
  }
}
END_TEST

START_TEST(test_late_frames_skip_inference_but_are_never_dropped) {
  const struct {
    const char* output;
    const char* qos;
    bool skips;
  } cases[] = {{"overlay", "true", true}, {"overlay", "false", false}, {"mask", "true", false}};
  for (const auto& c : cases) {
    Bench bench({{"output", c.output}, {"qos", c.qos}});
    ck_assert(bench.send_caps(kCaps));
    bench.push(frame(200, 0));
    gst_harness_push_upstream_event(
        bench.harness(),
        gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, 20 * GST_MSECOND, 100 * GST_MSECOND));
    // Late by 20 ms at 100 ms: from 140 ms on frames are in time again.
    for (const GstClockTime ms : {120, 139, 140}) bench.push(frame(200, ms * GST_MSECOND));
    ck_assert_uint_eq(bench.stat("inferred"), c.skips ? 2 : 4);
    ck_assert_uint_eq(bench.stat("held"), c.skips ? 2 : 0);
    for (int i = 0; i < 4; ++i) ck_assert(bench.pull() != nullptr);
  }
}
END_TEST

void say_late(Bench& bench, GstClockTime time) {
  gst_harness_push_upstream_event(
      bench.harness(), gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, 10 * GST_SECOND, time));
}

// A sink that never gets a frame in time is no reason to show one mask for ever.
START_TEST(test_frames_that_are_always_late_are_inferred_now_and_then) {
  Bench bench({{"mode", "every-frame"}});
  ck_assert(bench.send_caps(kCaps));
  for (GstClockTime ms = 0; ms < 2400; ms += 40) {
    bench.push(frame(200, ms * GST_MSECOND));
    say_late(bench, ms * GST_MSECOND);
  }
  // At 0, and whenever the mask has become older than half a second.
  ck_assert_uint_eq(bench.stat("inferred"), 5);
}
END_TEST

START_TEST(test_frames_that_do_not_wait_are_inferred_however_late_they_are) {
  Bench bench({{"mode", "latest"}});
  ck_assert(bench.send_caps(kCaps));
  for (guint64 n = 1; n <= 5; ++n) {
    push_until_inferred(bench, n, 200, n * 40 * GST_MSECOND);
    say_late(bench, n * 40 * GST_MSECOND);
  }
}
END_TEST

// As behind a leaky queue, which flags the frame after each that it has dropped.
START_TEST(test_in_latest_mode_lost_frames_take_no_mask_away) {
  const struct {
    GstClockTime to;
    const char* max_age;
    bool shown;
  } cases[] = {{GST_SECOND + 100 * GST_MSECOND, "-1", true},
               {5 * GST_SECOND, "-1", false},
               {5 * GST_SECOND, "10000000000", true},
               {5 * GST_SECOND, "0", true},
               {0, "0", false},
               {GST_CLOCK_TIME_NONE, "0", false}};
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"mode", "latest"}, {"max-mask-age", c.max_age}});
    ck_assert(bench.send_caps(kCaps));
    do bench.push(frame(200, GST_SECOND));
    while (is_gap(bench.pull().get()));
    BufferPtr flagged = frame(200, c.to);
    GST_BUFFER_FLAG_SET(flagged.get(), GST_BUFFER_FLAG_DISCONT);
    bench.push(std::move(flagged));
    const BufferPtr mask = bench.pull();
    ck_assert(GST_BUFFER_FLAG_IS_SET(mask.get(), GST_BUFFER_FLAG_DISCONT));
    ck_assert_msg(is_gap(mask.get()) == !c.shown, "to %" GST_TIME_FORMAT, GST_TIME_ARGS(c.to));
  }
}
END_TEST

START_TEST(test_latency_counts_every_copy_before_any_was_timed) {
  Bench bench({{"mode", "every-frame"}, {"tta", "d4"}, {"model-file", "fake:delay-ms=5"}},
              Upstream::live);
  ck_assert(bench.send_caps(kCaps));
  ck_assert_uint_ge(least_latency(bench), 8 * 5 * GST_MSECOND);
  GstBus* bus = gst_element_get_bus(bench.element());
  gst_bus_set_flushing(bus, TRUE);  // what was said before does not count
  gst_bus_set_flushing(bus, FALSE);
  set_properties(bench.element(), {{"tta", "none"}});
  ck_assert_uint_lt(least_latency(bench), 8 * 5 * GST_MSECOND);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_LATENCY);
  ck_assert_msg(message != nullptr, "there is no message");
  gst_message_unref(message);
  gst_object_unref(bus);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("latest mode");
  TCase* tests = tcase_create("latest mode");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_no_frame_waits_for_an_inference);
  tcase_add_test(tests, test_frames_get_the_newest_finished_mask);
  tcase_add_test(tests, test_a_mask_that_is_too_old_is_not_shown);
  tcase_add_test(tests, test_auto_is_latest_in_live_pipelines_alone);
  tcase_add_test(tests, test_latest_mode_adds_no_latency);
  tcase_add_test(tests, test_nothing_is_carried_over_a_discontinuity);
  tcase_add_test(tests, test_s3_a_discont_frame_gets_a_mask_of_its_own);
  tcase_add_test(tests, test_a_mask_begun_before_a_discontinuity_is_never_shown);
  tcase_add_test(tests, test_inference_interval_is_exact);
  tcase_add_test(tests, test_b8_a_failed_inference_reaches_the_next_frame);
  tcase_add_test(tests, test_s6_the_inference_that_runs_at_the_end_is_waited_for_and_posted);
  tcase_add_test(tests, test_late_frames_skip_inference_but_are_never_dropped);
  tcase_add_test(tests, test_frames_that_are_always_late_are_inferred_now_and_then);
  tcase_add_test(tests, test_frames_that_do_not_wait_are_inferred_however_late_they_are);
  tcase_add_test(tests, test_in_latest_mode_lost_frames_take_no_mask_away);
  tcase_add_test(tests, test_latency_counts_every_copy_before_any_was_timed);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
