// SPDX-License-Identifier: MIT
// Another model, device or number of threads while frames run.
#include "tests/assertions.h"
#include "tests/plugin/bench.h"
#include "tests/temporary_folder.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 12, 10);
constexpr guint8 kGrey = 128;

// Of a grey frame the one sees lesion alone and the other none; their inputs differ in size.
constexpr const char* kLesion = "fake:size=8x8,threshold=0.2";
constexpr const char* kNone = "fake:size=32x16,threshold=0.9";
constexpr const char* kBad = "fake:open=read";

BufferPtr frame() {
  return bytes_buffer(120, kGrey);
}

std::string loaded(GstElement* element) {
  GstStructure* info = nullptr;
  g_object_get(element, "model-info", &info, nullptr);
  if (info == nullptr) return "";
  const StructurePtr owned(info);
  return gst_structure_get_string(info, "file");
}

std::string model_file(GstElement* element) {
  gchar* text = nullptr;
  g_object_get(element, "model-file", &text, nullptr);
  const unetseg::StringPtr owned(text);
  return text;
}

void count(GObject*, GParamSpec*, gpointer counter) {
  ++*static_cast<std::atomic<int>*>(counter);
}

// Pushes a frame, whose mask must come out, whole and of one of the two models.
guint8 push_one(Bench& bench) {
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  const BufferPtr mask = bench.pull();
  ck_assert_msg(mask != nullptr, "a frame is lost");
  ck_assert_uint_eq(gst_buffer_get_size(mask.get()), 120);
  const guint8 value = bytes_of(mask.get())[0];
  ck_assert_msg((value == 0 || value == 255) && is_uniform(mask.get(), value), "a mask is torn");
  return value;
}

}  // namespace

START_TEST(test_another_model_takes_over_between_two_frames) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  std::atomic<int> swaps{0};
  g_signal_connect(bench.element(), "notify::model-info", G_CALLBACK(count), &swaps);
  ck_assert(bench.send_caps(kCaps));
  ck_assert_uint_eq(push_one(bench), 255);
  set_properties(bench.element(), {{"model-file", kNone}});
  assert_equal(model_file(bench.element()), kNone);
  while (swaps == 0) {
    assert_equal(loaded(bench.element()), kLesion);
    const guint8 value = push_one(bench);
    ck_assert_uint_eq(value, swaps == 0 ? 255 : 0);
  }
  assert_equal(loaded(bench.element()), kNone);
  ck_assert_uint_eq(push_one(bench), 0);
  ck_assert_int_eq(swaps, 1);
}
END_TEST

START_TEST(test_m12_a_bad_model_leaves_the_old_one_at_work_and_warns) {
  const struct {
    const char *property, *value;
    GQuark domain;
    int code;
  } cases[] = {
      {"model-file", kBad, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {"model-file", "fake:open=not-found", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {"model-file", "fake:open=settings", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {"model-file", "fake:open=bad-alloc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"device", "cuda:7", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
  };
  for (const auto& c : cases) {
    Bench bench({{"output", "mask"}, {"model-file", kLesion}});
    ck_assert(bench.send_caps(kCaps));
    push_one(bench);
    set_properties(bench.element(), {{c.property, c.value}});
    std::vector<Notice> warnings;
    while (warnings.empty()) {
      ck_assert_uint_eq(push_one(bench), 255);
      warnings = bench.warnings();
    }
    assert_only(warnings, c.domain, c.code, "the model before stays in use");
    assert_equal(loaded(bench.element()), kLesion);
    ck_assert_uint_eq(push_one(bench), 255);
    ck_assert_uint_eq(bench.stat("faulty"), 0);
  }
}
END_TEST

// Each turn asks for another model, or for one that cannot be loaded, while frames run.
START_TEST(test_m12_a_hundred_swaps_under_load_lose_no_frame) {
  for (const char* mode : {"every-frame", "latest"}) {
    Bench bench({{"output", "mask"}, {"mode", mode}, {"model-file", kLesion}});
    std::atomic<int> swaps{0};
    g_signal_connect(bench.element(), "notify::model-info", G_CALLBACK(count), &swaps);
    ck_assert(bench.send_caps(kCaps));
    guint64 frames = 0;
    std::string in_use = kLesion;
    int warnings = 0;
    for (int turn = 0; turn < 100; ++turn) {
      const std::string wanted = turn % 3 == 2 ? kBad : in_use == kLesion ? kNone : kLesion;
      const int before = swaps;
      set_properties(bench.element(), {{"model-file", wanted}});
      if (wanted == kBad) {
        for (std::size_t n = 0; n == 0; n = bench.warnings().size(), ++frames) push_one(bench);
        ++warnings;
        // Back to what runs, which needs no loading.
        set_properties(bench.element(), {{"model-file", in_use}});
      } else {
        for (; swaps == before; ++frames) push_one(bench);
        in_use = wanted;
      }
      assert_equal(loaded(bench.element()), in_use);
    }
    ck_assert_int_eq(swaps, 67);
    ck_assert_int_eq(warnings, 33);
    ck_assert_uint_eq(bench.stat("frames"), frames);
    ck_assert_uint_eq(bench.stat("faulty"), 0);
    ck_assert(bench.pull() == nullptr);
  }
}
END_TEST

// Until the new model has its first mask, the old one's is shown rather than none.
START_TEST(test_in_latest_mode_the_old_mask_stays_until_there_is_a_new_one) {
  TemporaryFolder folder;
  const std::string gated = std::string(kNone) + ",gate=" + folder.path();
  Bench bench({{"output", "mask"}, {"mode", "latest"}, {"model-file", kLesion}});
  ck_assert(bench.send_caps(kCaps));
  while (push_one(bench) != 255) continue;
  set_properties(bench.element(), {{"model-file", gated}});
  while (!std::filesystem::exists(folder.path() + "/begun"))
    ck_assert_uint_eq(push_one(bench), 255);
  assert_equal(loaded(bench.element()), gated);
  for (int i = 0; i < 3; ++i) ck_assert_uint_eq(push_one(bench), 255);
  std::ofstream(folder.path() + "/go");
  while (push_one(bench) != 0) continue;
}
END_TEST

// Its file may be another now, or there at last.
START_TEST(test_the_same_value_again_is_tried_again) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 2; ++i) {
    set_properties(bench.element(), {{"model-file", kBad}});
    while (bench.warnings().empty()) push_one(bench);
  }
}
END_TEST

START_TEST(test_what_was_asked_for_last_counts) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  ck_assert(bench.send_caps(kCaps));
  push_one(bench);
  set_properties(bench.element(), {{"model-file", kBad}});
  set_properties(bench.element(), {{"model-file", "fake:threshold=0.3"}});
  set_properties(bench.element(), {{"model-file", kNone}});
  while (loaded(bench.element()) != kNone) push_one(bench);
  // Back again before it is loaded: nothing changes, and nothing is loaded.
  set_properties(bench.element(), {{"model-file", kLesion}});
  set_properties(bench.element(), {{"model-file", kNone}});
  for (int i = 0; i < 50; ++i) ck_assert_uint_eq(push_one(bench), 0);
  assert_equal(loaded(bench.element()), kNone);
}
END_TEST

START_TEST(test_a_model_that_is_asked_for_in_ready_is_there_at_the_next_start) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  ck_assert(bench.send_caps(kCaps));
  push_one(bench);
  gst_element_set_state(bench.element(), GST_STATE_READY);
  set_properties(bench.element(), {{"model-file", kNone}});
  assert_equal(loaded(bench.element()), kLesion);
  gst_element_set_state(bench.element(), GST_STATE_PLAYING);
  assert_equal(loaded(bench.element()), kNone);
}
END_TEST

// A load that takes long holds up neither frames nor the way to NULL more than itself.
START_TEST(test_stopping_while_a_model_is_loaded_forgets_it) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  ck_assert(bench.send_caps(kCaps));
  push_one(bench);
  set_properties(bench.element(), {{"model-file", std::string(kNone) + ",delay-ms=100"}});
  push_one(bench);
  gst_element_set_state(bench.element(), GST_STATE_READY);
  assert_equal(loaded(bench.element()), kLesion);
  ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_NULL),
                   GST_STATE_CHANGE_SUCCESS);
  assert_equal(loaded(bench.element()), "");
}
END_TEST

START_TEST(test_the_latency_is_told_anew_where_another_model_takes_much_longer) {
  Bench bench({{"output", "mask"}, {"model-file", kLesion}});
  GstBus* bus = gst_element_get_bus(bench.element());
  ck_assert(bench.send_caps(kCaps));
  push_one(bench);
  const std::string slow = std::string(kNone) + ",delay-ms=30";
  set_properties(bench.element(), {{"model-file", slow}});
  while (loaded(bench.element()) != slow) {
    gst_bus_set_flushing(bus, TRUE);  // what was said before does not count
    gst_bus_set_flushing(bus, FALSE);
    push_one(bench);
  }
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_LATENCY);
  ck_assert_msg(message != nullptr, "there is no message");
  gst_message_unref(message);
  gst_object_unref(bus);
  GstClockTime least = 0;
  const QueryPtr query(gst_query_new_latency());
  ck_assert(gst_pad_peer_query(bench.harness()->sinkpad, query.get()));
  gst_query_parse_latency(query.get(), nullptr, &least, nullptr);
  ck_assert_uint_ge(least, 30 * GST_MSECOND);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("hot swap");
  TCase* tests = tcase_create("hot swap");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_another_model_takes_over_between_two_frames);
  tcase_add_test(tests, test_m12_a_bad_model_leaves_the_old_one_at_work_and_warns);
  tcase_add_test(tests, test_m12_a_hundred_swaps_under_load_lose_no_frame);
  tcase_add_test(tests, test_in_latest_mode_the_old_mask_stays_until_there_is_a_new_one);
  tcase_add_test(tests, test_the_same_value_again_is_tried_again);
  tcase_add_test(tests, test_what_was_asked_for_last_counts);
  tcase_add_test(tests, test_a_model_that_is_asked_for_in_ready_is_there_at_the_next_start);
  tcase_add_test(tests, test_stopping_while_a_model_is_loaded_forgets_it);
  tcase_add_test(tests, test_the_latency_is_told_anew_where_another_model_takes_much_longer);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
