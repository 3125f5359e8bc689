// SPDX-License-Identifier: MIT
// batch-size: frames that wait for each other, and what makes them leave.
#include "tests/assertions.h"
#include "tests/plugin/flow_log.h"
#include "tests/plugin/lone_element.h"
#include "tests/plugin/mask_sink.h"

using unetseg::EventPtr;

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame(guint8 value, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, value, pts);
}

// Values that a threshold of one half tells apart, in an order that shows mix-ups.
guint8 value_of(int i) {
  return i % 3 == 1 ? 200 : 50;
}

void assert_mask_of(int i, GstBuffer* mask) {
  ck_assert_msg(mask != nullptr, "there is no mask %d", i);
  ck_assert_uint_eq(GST_BUFFER_PTS(mask), static_cast<guint64>(i) * GST_MSECOND);
  ck_assert_msg(is_uniform(mask, value_of(i) == 200 ? 255 : 0), "mask %d is another frame's", i);
}

void push_numbered(Bench& bench, int i) {
  ck_assert_int_eq(bench.push(frame(value_of(i), static_cast<guint64>(i) * GST_MSECOND)),
                   GST_FLOW_OK);
}

GstPadProbeReturn post_end(GstPad*, GstPadProbeInfo* info, gpointer data) {
  GstElement* element = static_cast<GstElement*>(data);
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS)
    gst_element_post_message(element, gst_message_new_application(
                                          GST_OBJECT(element), gst_structure_new_empty("the-end")));
  return GST_PAD_PROBE_OK;
}

}  // namespace

START_TEST(test_frames_wait_until_their_batch_is_full_and_leave_in_order) {
  Bench bench({{"output", "mask"}, {"batch-size", "4"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  for (int batch = 0; batch < 5; ++batch) {
    for (int i = 0; i < 3; ++i) push_numbered(bench, 4 * batch + i);
    ck_assert(bench.pull() == nullptr);
    push_numbered(bench, 4 * batch + 3);
    for (int i = 0; i < 4; ++i) {
      assert_mask_of(4 * batch + i, bench.pull().get());
      assert_mask_of(4 * batch + i, masks.pull().get());
    }
  }
  ck_assert_uint_eq(bench.stat("inferred"), 20);
}
END_TEST

// Whatever has its place among the frames finds all that came before it gone.
START_TEST(test_s6_serialized_events_send_out_what_waits) {
  const struct {
    const char* name;
    GstEvent* event;
  } cases[] = {
      {"eos", gst_event_new_eos()},
      {"gap", gst_event_new_gap(GST_SECOND, GST_SECOND)},
      {"tag", gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "mole", nullptr))},
      {"GRAY8 8x8", gst_event_new_caps(CapsPtr(gst_caps_from_string(kCaps.c_str())).get())}};
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"batch-size", "8"}});
    ck_assert(bench.send_caps(kCaps));
    FlowLog log(bench.harness()->sinkpad);
    for (int i = 0; i < 3; ++i) push_numbered(bench, i);
    assert_equal(log.take(), "");
    ck_assert(bench.send(c.event));
    assert_equal(log.take(), std::string("buffer, buffer, buffer, ") + c.name);
    for (int i = 0; i < 3; ++i) assert_mask_of(i, bench.pull().get());
  }
}
END_TEST

// Who waits for either would take an end before the error for a good one.
START_TEST(test_s6_an_end_comes_after_the_error_of_the_frames_before_it) {
  for (const char* mode : {"every-frame", "latest"}) {
    Bench bench({{"mode", mode}, {"batch-size", "8"}, {"model-file", "fake:exception-at=1.."}});
    MaskSink masks(bench);
    ck_assert(bench.send_caps(kCaps));
    FlowLog log(masks.harness()->sinkpad);
    gst_pad_add_probe(bench.harness()->sinkpad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, post_end,
                      bench.element(), nullptr);
    push_numbered(bench, 0);
    ck_assert(!bench.send(gst_event_new_eos()));
    GstBus* bus = gst_element_get_bus(bench.element());
    for (const GstMessageType expected : {GST_MESSAGE_ERROR, GST_MESSAGE_APPLICATION}) {
      GstMessage* message = gst_bus_pop_filtered(
          bus, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_APPLICATION));
      ck_assert_msg(message != nullptr, "%s: no end", mode);
      ck_assert_str_eq(GST_MESSAGE_TYPE_NAME(message), gst_message_type_get_name(expected));
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    ck_assert_msg(log.take().find("eos") != std::string::npos, "%s: masks have no end", mode);
  }
}
END_TEST

START_TEST(test_s6_an_event_that_cannot_follow_its_frames_is_freed) {
  Bench bench({{"batch-size", "8"}, {"model-file", "fake:exception-at=1.."}});
  ck_assert(bench.send_caps(kCaps));
  push_numbered(bench, 0);
  const EventPtr gap(gst_event_new_gap(GST_SECOND, GST_SECOND));
  ck_assert(!bench.send(gst_event_ref(gap.get())));
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(gap.get()), 1);
  ck_assert_uint_eq(bench.errors().size(), 1);
}
END_TEST

QueryPtr ask_for_buffers(Bench& bench) {
  const CapsPtr caps(gst_caps_from_string(kCaps.c_str()));
  QueryPtr query(gst_query_new_allocation(caps.get(), TRUE));
  ck_assert(gst_pad_peer_query(bench.harness()->srcpad, query.get()));
  return query;
}

// Whether upstream is told to ask anew.
bool is_asked_to_reconfigure(Bench& bench) {
  bool asked = false;
  while (const EventPtr event{gst_harness_try_pull_upstream_event(bench.harness())})
    asked |= GST_EVENT_TYPE(event.get()) == GST_EVENT_RECONFIGURE;
  return asked;
}

// A pool of a few buffers would be empty before the batch is full.
START_TEST(test_a_larger_batch_begins_when_upstream_has_buffers_for_it) {
  Bench bench({{"output", "mask"}});
  ck_assert(bench.send_caps(kCaps));
  ask_for_buffers(bench);
  push_numbered(bench, 0);
  assert_mask_of(0, bench.pull().get());
  is_asked_to_reconfigure(bench);
  set_properties(bench.element(), {{"batch-size", "3"}});
  int i = 1;
  for (bool asked = false; !asked; ++i) {
    push_numbered(bench, i);
    assert_mask_of(i, bench.pull().get());
    asked = is_asked_to_reconfigure(bench);
  }
  for (const int end = i + 5; i < end; ++i) {
    push_numbered(bench, i);
    assert_mask_of(i, bench.pull().get());
  }
  ask_for_buffers(bench);
  for (int k = 0; k < 2; ++k) push_numbered(bench, i + k);
  ck_assert(bench.pull() == nullptr);
  push_numbered(bench, i + 2);
  for (int k = 0; k < 3; ++k) assert_mask_of(i + k, bench.pull().get());
}
END_TEST

START_TEST(test_s5_a_flush_drops_what_waits) {
  Bench bench({{"output", "mask"}, {"batch-size", "4"}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 3; ++i) push_numbered(bench, i);
  bench.send(gst_event_new_flush_start());
  bench.send(gst_event_new_flush_stop(TRUE));
  bench.send_segment();
  for (int i = 4; i < 8; ++i) push_numbered(bench, i);
  for (int i = 4; i < 8; ++i) assert_mask_of(i, bench.pull().get());
  ck_assert(bench.pull() == nullptr);
}
END_TEST

START_TEST(test_stopping_frees_what_waits) {
  Bench bench({{"batch-size", "4"}});
  ck_assert(bench.send_caps(kCaps));
  BufferPtr waiting = frame(200);
  const BufferPtr kept(gst_buffer_ref(waiting.get()));
  bench.push(std::move(waiting));
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(kept.get()), 2);
  gst_element_set_state(bench.element(), GST_STATE_READY);
  ck_assert_int_eq(GST_MINI_OBJECT_REFCOUNT_VALUE(kept.get()), 1);
}
END_TEST

START_TEST(test_s3_a_discont_frame_begins_another_batch) {
  Bench bench({{"output", "mask"}, {"batch-size", "4"}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 2; ++i) push_numbered(bench, i);
  BufferPtr discont = frame(value_of(2), 2 * GST_MSECOND);
  GST_BUFFER_FLAG_SET(discont.get(), GST_BUFFER_FLAG_DISCONT);
  ck_assert_int_eq(bench.push(std::move(discont)), GST_FLOW_OK);
  for (int i = 0; i < 2; ++i) assert_mask_of(i, bench.pull().get());
  ck_assert(bench.pull() == nullptr);
}
END_TEST

// Frames that are not inferred keep their places.
START_TEST(test_gaps_and_held_frames_wait_with_the_others) {
  Bench bench({{"output", "mask"}, {"batch-size", "4"}, {"inference-interval", "2"}});
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(200, 0));
  bench.push(frame(50, 1));  // held: shows the mask before
  BufferPtr gap = frame(200, 2);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  bench.push(std::move(gap));
  ck_assert(bench.pull() == nullptr);
  bench.push(frame(50, 3));
  const struct {
    guint8 mask;
    bool gap;
  } expected[] = {{255, false}, {255, false}, {0, true}, {0, false}};
  for (guint64 i = 0; i < 4; ++i) {
    const BufferPtr mask = bench.pull();
    ck_assert_uint_eq(GST_BUFFER_PTS(mask.get()), i);
    ck_assert_msg(is_uniform(mask.get(), expected[i].mask), "frame %d", static_cast<int>(i));
    ck_assert_int_eq(is_gap(mask.get()), expected[i].gap);
  }
  ck_assert_uint_eq(bench.stat("inferred"), 2);
  ck_assert_uint_eq(bench.stat("held"), 1);
  ck_assert_uint_eq(bench.stat("gaps"), 1);
}
END_TEST

START_TEST(test_b5_a_batch_without_room_is_told_at_the_start) {
  LoneElement alone({{"batch-size", "4"}, {"model-file", "fake:room=3"}});
  ck_assert_int_eq(alone.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  assert_only(alone.errors(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT, "");
  set_properties(alone.get(), {{"batch-size", "3"}});
  ck_assert_int_eq(alone.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
}
END_TEST

// The network's fault with one frame is that frame's alone.
START_TEST(test_b8_one_bad_frame_spoils_no_other_of_its_batch) {
  Bench bench({{"output", "mask"},
               {"batch-size", "4"},
               {"on-error", "pass"},
               {"model-file", "fake:nan-red=77"}});
  ck_assert(bench.send_caps(kCaps));
  for (const guint8 value : {200, 77, 50, 200}) bench.push(frame(value));
  const guint8 expected[] = {255, 0, 0, 255};
  for (int i = 0; i < 4; ++i) {
    const BufferPtr mask = bench.pull();
    ck_assert(mask != nullptr);
    ck_assert_int_eq(is_gap(mask.get()), i == 1);
    ck_assert(is_uniform(mask.get(), expected[i]));
  }
  ck_assert_uint_eq(bench.stat("inferred"), 3);
  ck_assert_uint_eq(bench.stat("faulty"), 1);
}
END_TEST

// Where frames cannot wait, or nobody could say for how long.
START_TEST(test_live_frames_and_frames_without_a_rate_do_not_wait) {
  for (const Upstream upstream : {Upstream::live, Upstream::not_live}) {
    const bool live = upstream == Upstream::live;
    Bench bench({{"output", "mask"}, {"batch-size", "4"}, {"mode", "every-frame"}}, upstream);
    ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8, live ? "framerate=30/1" : "framerate=0/1")));
    bench.push(frame(200));
    ck_assert(bench.pull() != nullptr);
  }
}
END_TEST

START_TEST(test_the_latency_of_a_batch_is_reported) {
  const auto least = [](const char* size) {
    Bench bench({{"batch-size", size}, {"model-file", "fake:delay-ms=1"}});
    ck_assert(bench.send_caps(caps_of("GRAY8", 8, 8, "framerate=10/1")));
    bench.push(frame(200));
    GstClockTime least = 0;
    const QueryPtr query(gst_query_new_latency());
    ck_assert(gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
    gst_query_parse_latency(query.get(), nullptr, &least, nullptr);
    return least;
  };
  const GstClockTime one = least("1"), five = least("5");
  ck_assert_uint_lt(one, 400 * GST_MSECOND);
  ck_assert_uint_ge(five, 400 * GST_MSECOND);
}
END_TEST

START_TEST(test_upstream_is_asked_for_a_batch_of_buffers_more) {
  for (const char* output : {"overlay", "mask"}) {
    Bench bench({{"batch-size", "6"}, {"output", output}});
    ck_assert(bench.send_caps(kCaps));
    const QueryPtr query = ask_for_buffers(bench);
    ck_assert_uint_ge(gst_query_get_n_allocation_pools(query.get()), 1);
    guint size = 0, least = 0, most = 0;
    gst_query_parse_nth_allocation_pool(query.get(), 0, nullptr, &size, &least, &most);
    ck_assert_uint_ge(size, 64);
    ck_assert_uint_ge(least, 7);
    ck_assert(most == 0 || most >= least);
  }
}
END_TEST

START_TEST(test_a_batch_of_another_size_can_be_asked_for_while_running) {
  Bench bench({{"output", "mask"}, {"batch-size", "4"}});
  ck_assert(bench.send_caps(kCaps));
  int sent = 0, received = 0;
  const auto take_all = [&] {
    while (const BufferPtr mask = bench.pull()) assert_mask_of(received++, mask.get());
  };
  std::atomic<bool> swapped{false};
  g_signal_connect(bench.element(), "notify::model-info",
                   G_CALLBACK(+[](GObject*, GParamSpec*, gpointer flag) {
                     *static_cast<std::atomic<bool>*>(flag) = true;
                   }),
                   &swapped);
  push_numbered(bench, sent++);
  set_properties(bench.element(), {{"batch-size", "2"}});
  while (!swapped) {
    push_numbered(bench, sent++);
    take_all();
  }
  // The frame that brought the change is the first of a batch of two.
  ck_assert_int_eq(received, sent - 1);
  push_numbered(bench, sent++);
  take_all();
  ck_assert_int_eq(received, sent);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("batch");
  TCase* tests = tcase_create("batch");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_frames_wait_until_their_batch_is_full_and_leave_in_order);
  tcase_add_test(tests, test_s6_serialized_events_send_out_what_waits);
  tcase_add_test(tests, test_s6_an_end_comes_after_the_error_of_the_frames_before_it);
  tcase_add_test(tests, test_s6_an_event_that_cannot_follow_its_frames_is_freed);
  tcase_add_test(tests, test_a_larger_batch_begins_when_upstream_has_buffers_for_it);
  tcase_add_test(tests, test_s5_a_flush_drops_what_waits);
  tcase_add_test(tests, test_stopping_frees_what_waits);
  tcase_add_test(tests, test_s3_a_discont_frame_begins_another_batch);
  tcase_add_test(tests, test_gaps_and_held_frames_wait_with_the_others);
  tcase_add_test(tests, test_b5_a_batch_without_room_is_told_at_the_start);
  tcase_add_test(tests, test_b8_one_bad_frame_spoils_no_other_of_its_batch);
  tcase_add_test(tests, test_live_frames_and_frames_without_a_rate_do_not_wait);
  tcase_add_test(tests, test_the_latency_of_a_batch_is_reported);
  tcase_add_test(tests, test_upstream_is_asked_for_a_batch_of_buffers_more);
  tcase_add_test(tests, test_a_batch_of_another_size_can_be_asked_for_while_running);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
