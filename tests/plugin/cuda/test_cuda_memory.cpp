// SPDX-License-Identifier: MIT
// Frames in a GPU's memory: when they are taken, and that they stay where they are. The GPU is
// fake.
#include "tests/plugin/cuda/gpu_frames.h"
#include "tests/plugin/mask_sink.h"

namespace {

const Case kVideo = {kNv12, 13, 9, kColorimetries[0]};
const Case kPicture = {kPackedFormats[6], 13, 9, kColorimetries[0]};

constexpr std::uintptr_t kStream = 7;

// RECONFIGURE events that have reached upstream since the last call.
int reconfigures(Bench& bench) {
  int count = 0;
  while (GstEvent* event = gst_harness_try_pull_upstream_event(bench.harness())) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) ++count;
    gst_event_unref(event);
  }
  return count;
}

}  // namespace

// As an element before unetseg finds it, on its way to READY.
START_TEST(test_elements_around_share_the_networks_context) {
  LoneElement element({{"device", "cuda:1"}});
  ck_assert(context_of(element.get()) == nullptr);
  ck_assert_int_eq(element.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  const ObjectPtr context = context_of(element.get());
  ck_assert(context != nullptr);
  ck_assert_int_eq(GPOINTER_TO_INT(gst_cuda_context_get_handle(context.get())), 1001);
  ck_assert(context_of(element.get(), "src").get() == context.get());
  GstMessage* published =
      gst_bus_pop_filtered(GST_ELEMENT_BUS(element.get()), GST_MESSAGE_HAVE_CONTEXT);
  ck_assert(published != nullptr);
  gst_message_unref(published);
  ck_assert_int_eq(fake_cuda_primary_contexts(), 1);
}
END_TEST

START_TEST(test_a_context_is_kept_as_long_as_somebody_has_it_and_no_longer) {
  ObjectPtr context;
  {
    LoneElement first({{"device", "cuda"}}), second({{"device", "auto"}});
    first.set(GST_STATE_READY);
    second.set(GST_STATE_READY);
    context = context_of(first.get());
    ck_assert(context.get() == context_of(second.get()).get());
  }
  ck_assert_int_eq(fake_cuda_primary_contexts(), 1);
  context.reset();
  ck_assert_int_eq(fake_cuda_primary_contexts(), 0);
}
END_TEST

START_TEST(test_overlays_are_drawn_in_the_gpus_memory) {
  for (const Case& c : {kVideo, kPicture}) {
    const Drawing drawing(c);
    Bench bench({{"device", "cuda"}});
    ck_assert(bench.send_caps(cuda_caps(c)));
    BufferPtr frame = drawing.cuda_frame(bench, kStream);
    GstBuffer* in = frame.get();
    take_notes();
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = bench.pull();
    ck_assert(out.get() == in);
    ck_assert_msg(device_bytes(out.get()) == drawing.drawn(), "%s", c.format.name);
    assert_equal(take_notes(), "sample@7 draw@7");
    const CapsPtr caps(gst_pad_get_current_caps(bench.harness()->sinkpad));
    ck_assert(
        gst_caps_features_contains(gst_caps_get_features(caps.get(), 0), "memory:CUDAMemory"));
  }
}
END_TEST

// Nobody could wait for what was put into no stream of theirs.
START_TEST(test_work_on_memory_without_a_stream_is_waited_for) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  take_notes();
  ck_assert_int_eq(bench.push(drawing.cuda_frame(bench, 0)), GST_FLOW_OK);
  assert_equal(take_notes(), "sample@0 wait@0 draw@0 wait@0");
  ck_assert(device_bytes(bench.pull().get()) == drawing.drawn());
}
END_TEST

START_TEST(test_c6_shared_frames_are_copied_on_the_gpu) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  for (const bool is_readonly : {false, true}) {
    BufferPtr frame = drawing.cuda_frame(bench, kStream), other;
    if (is_readonly)
      GST_MINI_OBJECT_FLAG_SET(gst_buffer_peek_memory(frame.get(), 0), GST_MEMORY_FLAG_READONLY);
    other.reset(is_readonly ? gst_buffer_copy(frame.get()) : gst_buffer_ref(frame.get()));
    GST_BUFFER_PTS(frame.get()) = 42;
    take_notes();
    ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
    assert_equal(take_notes(), "sample@7 copy@7 copy@7 wait@7 wait@0 draw@0 wait@0");
    const BufferPtr out = bench.pull();
    ck_assert(device_bytes(other.get()) == drawing.bytes());
    ck_assert(gst_is_cuda_memory(gst_buffer_peek_memory(out.get(), 0)));
    drawing.assert_drawn(out.get());
    ck_assert_uint_eq(GST_BUFFER_PTS(out.get()), 42);
  }
}
END_TEST

START_TEST(test_c3_frames_that_lie_bottom_up_are_copied_too) {
  const Drawing drawing(kVideo, Layout::bottom_up);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  BufferPtr frame = drawing.cuda_frame(bench, kStream);
  const BufferPtr other(gst_buffer_ref(frame.get()));
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  drawing.assert_drawn(bench.pull().get());
  ck_assert(device_bytes(other.get()) == drawing.bytes());
}
END_TEST

START_TEST(test_a_copy_that_fails_is_an_error_that_says_so) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  BufferPtr frame = drawing.cuda_frame(bench, kStream);
  const BufferPtr other(gst_buffer_ref(frame.get()));
  fake_cuda_fail_copies(700);
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_ERROR);
  fake_cuda_fail_copies(0);
  const std::vector<Notice> errors = bench.errors();
  assert_only(errors, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "device=cpu");
  ck_assert_msg(errors[0].detail.find("CUDA error 700") != std::string::npos, "%s",
                errors[0].detail.c_str());
}
END_TEST

START_TEST(test_output_none_does_not_touch_the_memory) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}, {"output", "none"}}, Upstream::not_live, PeerMeta::none);
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  BufferPtr frame = drawing.cuda_frame(bench, kStream);
  GstBuffer* in = frame.get();
  take_notes();
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  ck_assert(bench.pull().get() == in);
  assert_equal(take_notes(), "sample@7");
}
END_TEST

// Of both pads: in system memory, and those of the same frame there.
START_TEST(test_masks_of_frames_on_the_gpu_are_in_system_memory) {
  const Case video = {kNv12, 16, 8, kColorimetries[0]};  // no padding in its masks
  for (const char* output : {"mask", "probability"}) {
    const Drawing drawing(video);
    std::vector<guint8> masks[2][2];
    for (const bool on_gpu : {false, true}) {
      Bench bench({{"device", on_gpu ? "cuda" : "cpu"}, {"output", output}});
      MaskSink sink(bench);
      ck_assert(bench.send_caps(on_gpu ? cuda_caps(video) : video.caps()));
      take_notes();
      ck_assert_int_eq(bench.push(on_gpu ? drawing.cuda_frame(bench, kStream) : drawing.frame()),
                       GST_FLOW_OK);
      masks[on_gpu][0] = bytes_of(bench.pull().get());
      masks[on_gpu][1] = bytes_of(sink.pull().get());
      assert_equal(take_notes(), on_gpu ? "sample@7" : "");
    }
    ck_assert(masks[0][0] == masks[1][0] && masks[0][1] == masks[1][1]);
  }
}
END_TEST

START_TEST(test_c4_c5_memory_that_does_not_hold_its_frame_is_not_read) {
  Bench bench({{"device", "cuda"}, {"on-error", "pass"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  const ObjectPtr context = context_of(bench.element());
  BufferPtr frame(gst_buffer_new());
  gst_buffer_append_memory(frame.get(), fake_cuda_memory_new(context.get(), 64, 0, nullptr));
  take_notes();
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  assert_only(bench.warnings(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "too short");
  assert_equal(take_notes(), "");
}
END_TEST

// An application may have wrapped the device's primary context too.
START_TEST(test_memory_of_the_same_context_by_another_wrapper_is_used_in_place) {
  const Drawing drawing(kVideo);
  const ObjectPtr same(gst_cuda_context_new_wrapped(GINT_TO_POINTER(1000), 0));
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  take_notes();
  ck_assert_int_eq(bench.push(drawing.cuda_frame(same.get(), kStream)), GST_FLOW_OK);
  assert_equal(take_notes(), "sample@7 draw@7");
}
END_TEST

// Another context's memory cannot be read by the network's kernels.
START_TEST(test_memory_of_another_context_goes_through_the_processor_with_one_warning) {
  const Drawing drawing(kVideo);
  const ObjectPtr foreign(gst_cuda_context_new_wrapped(GINT_TO_POINTER(99), 0));
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  take_notes();
  for (int i = 0; i < 2; ++i)
    ck_assert_int_eq(bench.push(drawing.cuda_frame(foreign.get(), kStream)), GST_FLOW_OK);
  assert_equal(take_notes(), "download@7 download@7");
  assert_only(bench.warnings(), GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS, "context");
  for (int i = 0; i < 2; ++i) {
    const BufferPtr out = bench.pull();
    ck_assert(bytes_of(out.get()) == drawing.drawn());
  }
}
END_TEST

// Another device while frames run: upstream is asked for other frames, and those that still come
// are not lost.
START_TEST(test_frames_on_the_gpu_outlive_a_change_to_the_cpu) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  const ObjectPtr context = context_of(bench.element());
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  reconfigures(bench);
  set_properties(bench.element(), {{"device", "cpu"}});
  do {
    ck_assert_int_eq(bench.push(drawing.cuda_frame(context.get(), kStream)), GST_FLOW_OK);
    ck_assert(bytes_of(bench.pull().get()) == drawing.drawn());
  } while (device_in_use(bench.element()) != "cpu");
  ck_assert_int_eq(reconfigures(bench), 1);
  take_notes();
  ck_assert_int_eq(bench.push(drawing.cuda_frame(context.get(), kStream)), GST_FLOW_OK);
  ck_assert(bytes_of(bench.pull().get()) == drawing.drawn());
  assert_equal(take_notes(), "download@7");
  ck_assert(bench.send_caps(kVideo.caps()));
  ck_assert_int_eq(bench.push(drawing.frame()), GST_FLOW_OK);
  ck_assert(bytes_of(bench.pull().get()) == drawing.drawn());
  bench.send_caps(cuda_caps(kVideo));
  ck_assert_int_eq(bench.push(drawing.cuda_frame(context.get(), kStream)), GST_FLOW_NOT_NEGOTIATED);
  ck_assert_uint_eq(bench.warnings().size(), 0);
}
END_TEST

START_TEST(test_frames_can_come_from_the_gpu_once_the_network_is_there) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cpu"}});
  ck_assert(bench.send_caps(kVideo.caps()));
  reconfigures(bench);
  set_properties(bench.element(), {{"device", "cuda:1"}});
  do {
    ck_assert_int_eq(bench.push(drawing.frame()), GST_FLOW_OK);
    ck_assert(bytes_of(bench.pull().get()) == drawing.drawn());
  } while (device_in_use(bench.element()) != "cuda:1");
  ck_assert_int_eq(reconfigures(bench), 1);
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  ck_assert_int_eq(bench.push(drawing.cuda_frame(bench, kStream)), GST_FLOW_OK);
  ck_assert(device_bytes(bench.pull().get()) == drawing.drawn());
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("cuda memory");
  TCase* tests = tcase_create("frames on the GPU");
  tcase_add_test(tests, test_elements_around_share_the_networks_context);
  tcase_add_test(tests, test_a_context_is_kept_as_long_as_somebody_has_it_and_no_longer);
  tcase_add_test(tests, test_overlays_are_drawn_in_the_gpus_memory);
  tcase_add_test(tests, test_work_on_memory_without_a_stream_is_waited_for);
  tcase_add_test(tests, test_c6_shared_frames_are_copied_on_the_gpu);
  tcase_add_test(tests, test_c3_frames_that_lie_bottom_up_are_copied_too);
  tcase_add_test(tests, test_a_copy_that_fails_is_an_error_that_says_so);
  tcase_add_test(tests, test_output_none_does_not_touch_the_memory);
  tcase_add_test(tests, test_masks_of_frames_on_the_gpu_are_in_system_memory);
  tcase_add_test(tests, test_c4_c5_memory_that_does_not_hold_its_frame_is_not_read);
  tcase_add_test(tests, test_memory_of_the_same_context_by_another_wrapper_is_used_in_place);
  tcase_add_test(tests, test_memory_of_another_context_goes_through_the_processor_with_one_warning);
  tcase_add_test(tests, test_frames_on_the_gpu_outlive_a_change_to_the_cpu);
  tcase_add_test(tests, test_frames_can_come_from_the_gpu_once_the_network_is_there);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
