// SPDX-License-Identifier: MIT
// The property mode, changed while frames flow.
#include "tests/plugin/flow_log.h"
#include "tests/plugin/numbered_frames.h"

namespace {

const char* const kModes[] = {"every-frame", "latest", "auto"};

Properties probabilities(const char* script, const Properties& more = {}) {
  Properties all = {{"output", "probability"}, {"model-file", script}, {"max-mask-age", "0"}};
  all.all.insert(all.all.end(), more.all.begin(), more.all.end());
  return all;
}

void assert_all_counted(Bench& bench, guint64 frames) {
  ck_assert_uint_eq(bench.stat("frames"), frames);
  ck_assert_uint_eq(bench.stat("inferred") + bench.stat("held") + bench.stat("gaps"), frames);
}

}  // namespace

START_TEST(test_every_frame_mode_shows_a_frames_own_mask_whatever_was_before) {
  Bench bench(probabilities("fake:delay-ms=2,delay-at=1.."));
  ck_assert(bench.send_caps(kNumberedCaps));
  std::uint32_t seed = 5;
  int newest = 0;
  const int frames = 600;
  for (int i = 1; i <= frames; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const char* mode = kModes[(seed >> 16) % 3];
    if (seed >> 30 == 0) set_properties(bench.element(), {{"mode", mode}});
    gint number = 0;
    g_object_get(bench.element(), "mode", &number, nullptr);
    const bool is_latest = number == 2;
    ck_assert_int_eq(bench.push(numbered_frame(i)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(out != nullptr);
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), static_cast<GstClockTime>(i) * GST_MSECOND);
    if (is_gap(out.get())) {
      ck_assert_msg(is_latest && newest == 0, "frame %d has no mask", i);
      continue;
    }
    const int shown = number_in(out.get());
    ck_assert_msg(is_latest || shown == i, "frame %d shows the mask of %d", i, shown);
    ck_assert_msg(newest <= shown && shown <= i, "frame %d shows the mask of %d after %d", i, shown,
                  newest);
    newest = shown;
  }
  assert_all_counted(bench, frames);
  ck_assert(bench.pull() == nullptr);
}
END_TEST

START_TEST(test_no_frame_is_lost_or_out_of_order_while_another_thread_switches) {
  for (const char* batch : {"1", "4"}) {
    Bench bench(probabilities("fake:", {{"batch-size", batch}}));
    ck_assert(bench.send_caps(kNumberedCaps));
    std::atomic<bool> stop{false};
    std::thread application([&] {
      for (int i = 0; !stop; ++i) set_properties(bench.element(), {{"mode", kModes[i % 3]}});
    });
    const int frames = 5000;
    for (int i = 1; i <= frames; ++i) ck_assert_int_eq(bench.push(numbered_frame(i)), GST_FLOW_OK);
    stop = true;
    application.join();
    bench.send(gst_event_new_eos());
    int newest = 0;
    for (int i = 1; i <= frames; ++i) {
      const BufferPtr out = bench.pull();
      ck_assert_msg(out != nullptr, "frame %d is lost", i);
      ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), static_cast<GstClockTime>(i) * GST_MSECOND);
      if (is_gap(out.get())) continue;
      const int shown = number_in(out.get());
      ck_assert_msg(newest <= shown && shown <= i, "frame %d shows the mask of %d after %d", i,
                    shown, newest);
      newest = shown;
    }
    ck_assert(bench.pull() == nullptr);
    assert_all_counted(bench, frames);
  }
}
END_TEST

START_TEST(test_frames_that_wait_for_their_batch_leave_before_latest_mode_begins) {
  Bench bench(probabilities("fake:", {{"batch-size", "4"}}));
  ck_assert(bench.send_caps(kNumberedCaps));
  for (int i = 1; i <= 2; ++i) ck_assert_int_eq(bench.push(numbered_frame(i)), GST_FLOW_OK);
  ck_assert(bench.pull() == nullptr);
  set_properties(bench.element(), {{"mode", "latest"}});
  ck_assert_int_eq(bench.push(numbered_frame(3)), GST_FLOW_OK);
  for (int i = 1; i <= 2; ++i) ck_assert_int_eq(number_in(bench.pull().get()), i);
  const BufferPtr third = bench.pull();
  ck_assert_uint_eq(GST_BUFFER_PTS(third.get()), 3 * GST_MSECOND);
  ck_assert_int_eq(number_in(third.get()), 2);
}
END_TEST

// What sinks have configured holds until somebody says that it does not.
START_TEST(test_a_latency_message_follows_a_mode_that_changes_the_latency) {
  const struct {
    Upstream upstream;
    const char *from, *to;
    bool changes;
  } cases[] = {
      {Upstream::not_live, "every-frame", "latest", true},
      {Upstream::not_live, "latest", "auto", true},
      {Upstream::not_live, "auto", "every-frame", false},
      {Upstream::live, "auto", "every-frame", true},
      {Upstream::live, "every-frame", "auto", true},
      {Upstream::live, "latest", "auto", false},
  };
  for (const auto& c : cases) {
    Bench bench({{"mode", c.from}, {"model-file", "fake:delay-ms=5"}}, c.upstream);
    ck_assert(bench.send_caps(kNumberedCaps));
    bench.latency_messages();
    const guint64 before = gst_harness_query_latency(bench.harness());
    set_properties(bench.element(), {{"mode", c.to}});
    ck_assert_msg(bench.latency_messages() == (c.changes ? 1 : 0), "%s to %s", c.from, c.to);
    ck_assert_int_eq(gst_harness_query_latency(bench.harness()) != before, c.changes);
    set_properties(bench.element(), {{"mode", c.to}, {"opacity", "0.5"}});
    ck_assert_int_eq(bench.latency_messages(), 0);
  }
}
END_TEST

START_TEST(test_a_mode_set_before_the_start_is_no_news) {
  Bench bench({{"model-file", "fake:delay-ms=5"}});
  gst_element_set_state(bench.element(), GST_STATE_READY);
  bench.latency_messages();
  set_properties(bench.element(), {{"mode", "latest"}});
  ck_assert_int_eq(bench.latency_messages(), 0);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("mode switch");
  TCase* tests = tcase_create("mode switch");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_every_frame_mode_shows_a_frames_own_mask_whatever_was_before);
  tcase_add_test(tests, test_no_frame_is_lost_or_out_of_order_while_another_thread_switches);
  tcase_add_test(tests, test_frames_that_wait_for_their_batch_leave_before_latest_mode_begins);
  tcase_add_test(tests, test_a_latency_message_follows_a_mode_that_changes_the_latency);
  tcase_add_test(tests, test_a_mode_set_before_the_start_is_no_news);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
