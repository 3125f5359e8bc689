// SPDX-License-Identifier: MIT
// When frames in a GPU's memory are offered, asked for and allocated. The GPU is fake.
#include "tests/assertions.h"
#include "tests/plugin/cuda/gpu_frames.h"

namespace {

const Case kVideo = {kNv12, 16, 8, kColorimetries[0]};

// Whether a pad's caps hold any in CUDA memory, and any in system memory.
struct Offer {
  bool cuda, system;
};

Offer offer_of(GstElement* element, const char* pad_name) {
  const unetseg::PadPtr pad(gst_element_get_static_pad(element, pad_name));
  const CapsPtr caps(gst_pad_query_caps(pad.get(), nullptr));
  Offer offer = {false, false};
  for (guint i = 0; i < gst_caps_get_size(caps.get()); ++i) {
    const GstCapsFeatures* features = gst_caps_get_features(caps.get(), i);
    offer.cuda |= gst_caps_features_contains(features, "memory:CUDAMemory") != FALSE;
    offer.system |= gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
  }
  return offer;
}

bool accepts(GstElement* element, const std::string& text) {
  const unetseg::PadPtr pad(gst_element_get_static_pad(element, "sink"));
  const CapsPtr caps(gst_caps_from_string(text.c_str()));
  return gst_pad_query_accept_caps(pad.get(), caps.get());
}

QueryPtr ask_for_allocation(Bench& bench, const std::string& text) {
  const CapsPtr caps(gst_caps_from_string(text.c_str()));
  QueryPtr query(gst_query_new_allocation(caps.get(), TRUE));
  ck_assert(gst_pad_peer_query(bench.harness()->srcpad, query.get()));
  return query;
}

}  // namespace

START_TEST(test_c12_frames_on_the_gpu_are_offered_while_the_device_in_use_is_one) {
  struct {
    const char *device, *output;
    bool sink, source;
  } const cases[] = {{"cuda", "overlay", true, true},      {"cuda:1", "none", true, true},
                     {"auto", "overlay", true, true},      {"cuda", "mask", true, false},
                     {"cuda", "probability", true, false}, {"cuda", "cutout", false, false},
                     {"cpu", "overlay", false, false},     {"cpu", "mask", false, false}};
  for (const auto& c : cases) {
    const Bench bench({{"device", c.device}, {"output", c.output}});
    const Offer sink = offer_of(bench.element(), "sink"), source = offer_of(bench.element(), "src");
    ck_assert_msg(sink.system && source.system, "%s %s", c.device, c.output);
    ck_assert_msg(sink.cuda == c.sink && source.cuda == c.source, "%s %s", c.device, c.output);
    ck_assert(accepts(bench.element(), cuda_caps(kVideo)) == c.sink);
    ck_assert(accepts(bench.element(), kVideo.caps()));
  }
}
END_TEST

// The GPU that runs the network need not have what samples frames.
START_TEST(test_frames_on_the_gpu_are_not_offered_where_the_network_cannot_take_them) {
  const Variable frames("UNETSEG_FAKE_GPU_FRAMES", "0");
  Bench bench({{"device", "cuda"}});
  assert_equal(device_in_use(bench.element()), "cuda:0");
  ck_assert(!offer_of(bench.element(), "sink").cuda);
  ck_assert(!accepts(bench.element(), cuda_caps(kVideo)));
  const Drawing drawing(kVideo);
  ck_assert(bench.send_caps(kVideo.caps()));
  ck_assert_int_eq(bench.push(drawing.frame()), GST_FLOW_OK);
  ck_assert(bytes_of(bench.pull().get()) == drawing.drawn());
}
END_TEST

START_TEST(test_formats_that_gstreamer_has_no_cuda_memory_for_are_refused_there) {
  const Bench bench({{"device", "cuda"}});
  for (const FormatCase& format : all_formats()) {
    const std::string name = format.name;
    const bool has_memory =
        name != "GRAY8" && name != "YUY2" && name != "UYVY" && name != "xRGB" && name != "xBGR";
    const Case c = {format, 16, 8, kColorimetries[0]};
    ck_assert_msg(accepts(bench.element(), cuda_caps(c)) == has_memory, "%s", format.name);
  }
}
END_TEST

// A caps filter between two elements is linked before anybody has looked for a GPU.
START_TEST(test_before_ready_pads_can_be_linked_for_what_the_device_may_be) {
  LoneElement element({{"device", "auto"}});
  ck_assert(offer_of(element.get(), "sink").cuda);
  set_properties(element.get(), {{"device", "cpu"}});
  ck_assert(!offer_of(element.get(), "sink").cuda);
  element.set(GST_STATE_READY);
  ck_assert(!offer_of(element.get(), "sink").cuda);
  element.set(GST_STATE_NULL);
  set_properties(element.get(), {{"device", "cuda"}});
  ck_assert(offer_of(element.get(), "sink").cuda);
}
END_TEST

START_TEST(test_a_cutout_of_frames_on_the_gpu_is_refused_while_running) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  set_properties(bench.element(), {{"output", "cutout"}});
  ck_assert_int_eq(bench.push(drawing.cuda_frame(bench, 7)), GST_FLOW_OK);
  assert_only(bench.warnings(), GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT, "output");
  ck_assert(device_bytes(bench.pull().get()) == drawing.drawn());
}
END_TEST

START_TEST(test_masks_can_take_the_place_of_frames_on_the_gpu_while_running) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(cuda_caps(kVideo)));
  ck_assert_int_eq(bench.push(drawing.cuda_frame(bench, 7)), GST_FLOW_OK);
  ck_assert(bench.pull() != nullptr);
  for (const char* output : {"mask", "overlay"}) {
    set_properties(bench.element(), {{"output", output}});
    ck_assert_int_eq(bench.push(drawing.cuda_frame(bench, 7)), GST_FLOW_OK);
    const bool on_gpu = gst_is_cuda_memory(gst_buffer_peek_memory(bench.pull().get(), 0));
    ck_assert_msg(on_gpu == (std::string(output) == "overlay"), "%s", output);
  }
  ck_assert_uint_eq(bench.warnings().size(), 0);
}
END_TEST

START_TEST(test_upstream_is_offered_a_pool_of_the_networks_context) {
  for (const char* output : {"overlay", "mask"}) {
    Bench bench({{"device", "cuda"}, {"output", output}});
    ck_assert(bench.send_caps(cuda_caps(kVideo)));
    const QueryPtr query = ask_for_allocation(bench, cuda_caps(kVideo));
    ck_assert_uint_eq(gst_query_get_n_allocation_pools(query.get()), 1);
    GstBufferPool* pool = nullptr;
    guint size = 0;
    gst_query_parse_nth_allocation_pool(query.get(), 0, &pool, &size, nullptr, nullptr);
    const unetseg::PoolPtr owned(pool);
    ck_assert_uint_eq(size, 64 * 8 + 64 * 4);  // rows of 16 bytes, 64 apart
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    GstBuffer* buffer = nullptr;
    ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, nullptr), GST_FLOW_OK);
    take_notes();
    ck_assert_int_eq(bench.push(BufferPtr(buffer)), GST_FLOW_OK);
    ck_assert(bench.pull() != nullptr);
    ck_assert(take_notes().find("download") == std::string::npos);
    gst_buffer_pool_set_active(pool, FALSE);
  }
}
END_TEST

START_TEST(test_frames_in_system_memory_are_offered_no_pool_on_the_gpu) {
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(kVideo.caps()));
  const QueryPtr query = ask_for_allocation(bench, kVideo.caps());
  ck_assert_uint_eq(gst_query_get_n_allocation_pools(query.get()), 0);
}
END_TEST

// A network on the GPU takes frames from wherever they come.
START_TEST(test_frames_in_system_memory_stay_there) {
  const Drawing drawing(kVideo);
  Bench bench({{"device", "cuda"}});
  ck_assert(bench.send_caps(kVideo.caps()));
  take_notes();
  BufferPtr frame = drawing.frame();
  const BufferPtr other(gst_buffer_ref(frame.get()));
  ck_assert_int_eq(bench.push(std::move(frame)), GST_FLOW_OK);
  ck_assert(!gst_is_cuda_memory(gst_buffer_peek_memory(bench.pull().get(), 0)));
  assert_equal(take_notes(), "");
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("cuda caps");
  TCase* tests = tcase_create("offers");
  tcase_add_test(tests, test_c12_frames_on_the_gpu_are_offered_while_the_device_in_use_is_one);
  tcase_add_test(tests, test_frames_on_the_gpu_are_not_offered_where_the_network_cannot_take_them);
  tcase_add_test(tests, test_formats_that_gstreamer_has_no_cuda_memory_for_are_refused_there);
  tcase_add_test(tests, test_before_ready_pads_can_be_linked_for_what_the_device_may_be);
  tcase_add_test(tests, test_a_cutout_of_frames_on_the_gpu_is_refused_while_running);
  tcase_add_test(tests, test_masks_can_take_the_place_of_frames_on_the_gpu_while_running);
  tcase_add_test(tests, test_upstream_is_offered_a_pool_of_the_networks_context);
  tcase_add_test(tests, test_frames_in_system_memory_are_offered_no_pool_on_the_gpu);
  tcase_add_test(tests, test_frames_in_system_memory_stay_there);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
