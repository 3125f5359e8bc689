// SPDX-License-Identifier: MIT
// The request pad "mask": masks beside the frames of the source pad.
#include "tests/assertions.h"
#include "tests/plugin/flow_log.h"
#include "tests/plugin/mask_sink.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame(guint8 value, GstClockTime pts = GST_CLOCK_TIME_NONE) {
  return bytes_buffer(64, value, pts);
}

GstPadProbeReturn refuse(GstPad*, GstPadProbeInfo* info, gpointer flow) {
  gst_buffer_unref(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_FLOW_RETURN(info) = static_cast<GstFlowReturn>(GPOINTER_TO_INT(flow));
  return GST_PAD_PROBE_HANDLED;
}

// From now on the pad gives `flow` for every buffer, which it swallows.
void answer_with(GstPad* pad, GstFlowReturn flow) {
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, refuse, GINT_TO_POINTER(flow), nullptr);
}

}  // namespace

START_TEST(test_each_frame_has_its_mask_beside_it) {
  Bench bench;
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 4; ++i) {
    const bool lesion = i % 2 == 0;
    ck_assert_int_eq(bench.push(frame(lesion ? 200 : 0, i * GST_SECOND)), GST_FLOW_OK);
    const BufferPtr mask = masks.pull(), shown = bench.pull();
    ck_assert(is_uniform(mask.get(), lesion ? 255 : 0));
    ck_assert_uint_eq(GST_BUFFER_PTS(mask.get()), i * GST_SECOND);
    ck_assert_uint_eq(GST_BUFFER_PTS(shown.get()), i * GST_SECOND);
  }
  ck_assert_uint_eq(bench.stat("inferred"), 4);
}
END_TEST

START_TEST(test_masks_are_a_stream_of_their_own) {
  Bench bench;
  MaskSink masks(bench);
  FlowLog log(masks.harness()->sinkpad);
  ck_assert(bench.send_caps(caps_of("NV12", 8, 8)));
  bench.push(bytes_buffer(96, 200));
  ck_assert(bench.send_caps(caps_of("RGB", 6, 4)));
  bench.push(bytes_buffer(80, 200));
  bench.send(gst_event_new_eos());
  assert_equal(log.take(), "stream-start, GRAY8 8x8, segment, buffer, GRAY8 6x4, buffer, eos");
  GstEvent* start = gst_pad_get_sticky_event(masks.harness()->sinkpad, GST_EVENT_STREAM_START, 0);
  const gchar* id = nullptr;
  gst_event_parse_stream_start(start, &id);
  assert_equal(id, "bench/mask");
  gst_event_unref(start);
}
END_TEST

START_TEST(test_s9_a_pad_that_comes_late_gets_what_it_missed) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  bench.push(frame(200));
  MaskSink masks(bench);
  FlowLog log(masks.harness()->sinkpad);
  bench.push(frame(200));
  assert_equal(log.take(), "stream-start, GRAY8 8x8, segment, buffer");
  ck_assert(is_uniform(masks.pull().get(), 255));
}
END_TEST

START_TEST(test_s9_the_pad_can_be_released_and_requested_anew) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 20; ++i) {
    MaskSink masks(bench);
    ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
    ck_assert(is_uniform(masks.pull().get(), 255));
    ck_assert(bench.pull() != nullptr);
  }
  ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
  ck_assert(bench.pull() != nullptr);
}
END_TEST

START_TEST(test_there_is_one_mask_pad_at_most) {
  GstElement* element = make_element();
  gst_object_ref_sink(element);
  GstPadTemplate* masks = gst_element_get_pad_template(element, "mask");
  GstPad* first = gst_element_request_pad(element, masks, nullptr, nullptr);
  ck_assert(first != nullptr);
  ck_assert(gst_element_request_pad(element, masks, nullptr, nullptr) == nullptr);
  gst_element_release_request_pad(element, first);
  gst_object_unref(first);
  GstPad* second = gst_element_request_pad(element, masks, nullptr, nullptr);
  ck_assert(second != nullptr);
  gst_element_release_request_pad(element, second);
  gst_object_unref(second);
  gst_object_unref(element);
}
END_TEST

START_TEST(test_s9_s10_flows_of_both_pads_are_combined) {
  const struct {
    GstFlowReturn source, mask, combined;
  } cases[] = {
      {GST_FLOW_OK, GST_FLOW_OK, GST_FLOW_OK},
      {GST_FLOW_OK, GST_FLOW_NOT_LINKED, GST_FLOW_OK},
      {GST_FLOW_NOT_LINKED, GST_FLOW_OK, GST_FLOW_OK},
      {GST_FLOW_NOT_LINKED, GST_FLOW_NOT_LINKED, GST_FLOW_NOT_LINKED},
      {GST_FLOW_OK, GST_FLOW_EOS, GST_FLOW_OK},
      {GST_FLOW_EOS, GST_FLOW_OK, GST_FLOW_OK},
      {GST_FLOW_EOS, GST_FLOW_EOS, GST_FLOW_EOS},
      {GST_FLOW_EOS, GST_FLOW_NOT_LINKED, GST_FLOW_EOS},
      {GST_FLOW_OK, GST_FLOW_ERROR, GST_FLOW_ERROR},
      {GST_FLOW_ERROR, GST_FLOW_OK, GST_FLOW_ERROR},
      {GST_FLOW_OK, GST_FLOW_FLUSHING, GST_FLOW_FLUSHING},
  };
  for (const auto& c : cases) {
    Bench bench;
    MaskSink masks(bench);
    ck_assert(bench.send_caps(kCaps));
    answer_with(bench.harness()->sinkpad, c.source);
    answer_with(masks.harness()->sinkpad, c.mask);
    const GstFlowReturn flow = bench.push(frame(200));
    ck_assert_msg(flow == c.combined, "%s and %s give %s", gst_flow_get_name(c.source),
                  gst_flow_get_name(c.mask), gst_flow_get_name(flow));
  }
}
END_TEST

START_TEST(test_s6_faulty_and_gap_frames_have_a_mask_as_well) {
  Bench bench({{"on-error", "pass"}});
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  BufferPtr gap = frame(200);
  GST_BUFFER_FLAG_SET(gap.get(), GST_BUFFER_FLAG_GAP);
  bench.push(std::move(gap));
  ck_assert_int_eq(bench.push(bytes_buffer(10, 200, GST_SECOND)), GST_FLOW_OK);
  for (int i = 0; i < 2; ++i) {
    const BufferPtr mask = masks.pull();
    ck_assert(is_gap(mask.get()) && is_uniform(mask.get(), 0));
    ck_assert_uint_eq(gst_buffer_get_size(mask.get()), 64);
  }
  ck_assert(bench.pull() != nullptr);
  ck_assert_msg(bench.pull() == nullptr, "a buffer without a frame in it was passed on");
}
END_TEST

START_TEST(test_c6_a_frame_is_not_copied_for_the_mask_pad) {
  Bench bench;
  MaskSink masks(bench);
  ck_assert(bench.send_caps(kCaps));
  BufferPtr in = frame(200);
  GstBuffer* address = in.get();
  bench.push(std::move(in));
  ck_assert(bench.pull().get() == address);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("mask pad");
  TCase* tests = tcase_create("mask pad");
  tcase_add_test(tests, test_each_frame_has_its_mask_beside_it);
  tcase_add_test(tests, test_masks_are_a_stream_of_their_own);
  tcase_add_test(tests, test_s9_a_pad_that_comes_late_gets_what_it_missed);
  tcase_add_test(tests, test_s9_the_pad_can_be_released_and_requested_anew);
  tcase_add_test(tests, test_there_is_one_mask_pad_at_most);
  tcase_add_test(tests, test_s9_s10_flows_of_both_pads_are_combined);
  tcase_add_test(tests, test_s6_faulty_and_gap_frames_have_a_mask_as_well);
  tcase_add_test(tests, test_c6_a_frame_is_not_copied_for_the_mask_pad);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
