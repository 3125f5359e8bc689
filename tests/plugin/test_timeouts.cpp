// SPDX-License-Identifier: MIT
// Inferences that take too long, and those that never return.
#include "tests/plugin/gate.h"

#include <filesystem>
#include <thread>

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);
const char* const kShort = "20000000";     // ns; what hangs is waited for no longer
const char* const kLong = "600000000000";  // ns; nothing here takes as long
// GST_CLOCK_TIME_NONE, and more than clocks can count to.
const char* const kLongerThanTime[] = {"18446744073709551615", "9223372036854775807"};

BufferPtr frame(guint8 value) {
  return bytes_buffer(64, value);
}

void assert_plain(GstBuffer* mask) {
  ck_assert(mask != nullptr);
  ck_assert(is_gap(mask));
  ck_assert(is_uniform(mask, 0));
}

void assert_only_too_long(const std::vector<Notice>& notices) {
  assert_only(notices, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED, "inference-timeout");
}

// What the hung inference had is not shown to any of these; pushed until one has a mask of its own.
void assert_goes_on(Bench& bench, guint64 inferred) {
  for (;;) {
    ck_assert_int_eq(bench.push(frame(0)), GST_FLOW_OK);
    const BufferPtr mask = bench.pull();
    ck_assert(is_uniform(mask.get(), 0));
    if (bench.stat("inferred") > inferred) break;
    ck_assert(is_gap(mask.get()));
  }
  while (bench.stat("inferred") < inferred + 3) {
    bench.push(frame(200));
    const BufferPtr mask = bench.pull();
    if (bench.stat("inferred") == inferred + 3) ck_assert(is_uniform(mask.get(), 255));
  }
}

}  // namespace

START_TEST(test_b9_live_frames_pass_while_an_inference_hangs) {
  Gate gate;
  Bench bench({{"output", "mask"},
               {"mode", "every-frame"},
               {"inference-timeout", kShort},
               {"model-file", gate.script()}},
              Upstream::live);
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
  assert_plain(bench.pull().get());
  assert_only_too_long(bench.warnings());
  ck_assert_uint_eq(bench.stat("faulty"), 1);
  // However many come, and without a wait.
  for (int i = 0; i < 100; ++i) {
    ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
    assert_plain(bench.pull().get());
  }
  ck_assert_uint_eq(bench.stat("gaps"), 100);
  ck_assert_uint_eq(bench.warnings().size(), 0);
  gate.open();
  assert_goes_on(bench, 0);
}
END_TEST

START_TEST(test_b9_an_overlay_of_nothing_is_the_plain_frame) {
  Gate gate;
  Bench bench({{"mode", "every-frame"},
               {"inference-timeout", kShort},
               {"on-error", "pass"},
               {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  BufferPtr in = frame(200);
  const GstBuffer* same = in.get();
  ck_assert_int_eq(bench.push(std::move(in)), GST_FLOW_OK);
  const BufferPtr out = bench.pull();
  ck_assert(out.get() == same);
  ck_assert(is_uniform(out.get(), 200));
  gate.open();
}
END_TEST

START_TEST(test_b9_elsewhere_on_error_says_what_happens) {
  for (const bool passes : {true, false})
    for (const char* mode : {"every-frame", "latest"}) {
      Gate gate;
      Bench bench({{"output", "mask"},
                   {"mode", mode},
                   {"on-error", passes ? "pass" : "auto"},
                   {"inference-timeout", kShort},
                   {"model-file", gate.script()}});
      ck_assert(bench.send_caps(kCaps));
      GstFlowReturn flow = bench.push(frame(200));
      std::vector<Notice> notices;
      for (;;) {  // frames that do not wait meet it when it is due
        notices = passes ? bench.warnings() : bench.errors();
        if (!notices.empty()) break;
        ck_assert_int_eq(flow, GST_FLOW_OK);
        g_usleep(1000);
        flow = bench.push(frame(200));
      }
      assert_only_too_long(notices);
      ck_assert_int_eq(flow, passes ? GST_FLOW_OK : GST_FLOW_ERROR);
      while (const BufferPtr mask = bench.pull()) assert_plain(mask.get());
      gate.open();
      if (passes) assert_goes_on(bench, bench.stat("inferred"));
    }
}
END_TEST

START_TEST(test_b9_thirty_frames_that_wait_in_vain_end_it) {
  Gate gate;
  Bench bench({{"mode", "every-frame"},
               {"on-error", "pass"},
               {"inference-timeout", "1000000"},
               {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 29; ++i) ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
  ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_ERROR);
  assert_only_too_long(bench.errors());
  ck_assert_uint_eq(bench.stat("faulty"), 30);
  gate.open();
}
END_TEST

START_TEST(test_b9_a_batch_that_hangs_is_one_fault) {
  Gate gate;
  Bench bench({{"output", "mask"},
               {"mode", "every-frame"},
               {"batch-size", "32"},
               {"on-error", "pass"},
               {"inference-timeout", kShort},
               {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 32; ++i) ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
  for (int i = 0; i < 32; ++i) assert_plain(bench.pull().get());
  ck_assert_uint_eq(bench.stat("faulty"), 1);
  ck_assert_uint_eq(bench.stat("gaps"), 31);
  gate.open();
}
END_TEST

START_TEST(test_b9_in_latest_mode_frames_keep_the_mask_before_until_it_is_too_old) {
  Gate gate;
  Bench bench({{"output", "mask"},
               {"mode", "latest"},
               {"max-mask-age", "1000000000"},
               {"inference-timeout", kLong},
               {"model-file", gate.script()}},
              Upstream::live);
  ck_assert(bench.send_caps(kCaps));
  bench.push(bytes_buffer(64, 200, 0));
  bench.pull();
  gate.wait_until_begun();
  gate.open();
  gate.close();
  while (bench.stat("inferred") < 2) {  // the second one hangs
    bench.push(bytes_buffer(64, 0, 0));
    bench.pull();
  }
  ck_assert_uint_eq(bench.warnings().size(), 0);
  set_properties(bench.element(), {{"inference-timeout", kShort}});
  guint warnings = 0;
  for (int i = 0; warnings == 0; ++i) {
    bench.push(bytes_buffer(64, 0, 500 * GST_MSECOND));
    ck_assert(is_uniform(bench.pull().get(), 255));
    const std::vector<Notice> notices = bench.warnings();
    if (!notices.empty()) assert_only_too_long(notices);
    warnings = static_cast<guint>(notices.size());
    g_usleep(1000);
  }
  for (const GstClockTime ms : {600, 1000}) {
    bench.push(bytes_buffer(64, 0, ms * GST_MSECOND));
    ck_assert(is_uniform(bench.pull().get(), 255));
  }
  bench.push(bytes_buffer(64, 0, 1001 * GST_MSECOND));
  assert_plain(bench.pull().get());
  ck_assert_uint_eq(bench.warnings().size(), 0);
  ck_assert_uint_eq(bench.stat("faulty"), 0);
  gate.open();
}
END_TEST

START_TEST(test_b9_what_returns_in_time_is_not_given_up) {
  for (const char* timeout : {kLong, kLongerThanTime[0], kLongerThanTime[1]})
    for (const char* mode : {"every-frame", "latest"}) {
      Bench bench({{"output", "mask"},
                   {"mode", mode},
                   {"inference-timeout", timeout},
                   {"model-file", "fake:delay-ms=5"}});
      ck_assert(bench.send_caps(kCaps));
      while (bench.stat("inferred") < 3) {
        ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
        bench.pull();
      }
      ck_assert_uint_eq(bench.warnings().size(), 0);
      ck_assert_uint_eq(bench.stat("faulty"), 0);
    }
}
END_TEST

// Five seconds for each way to stop, at the same time.
START_TEST(test_b9_another_model_goes_on_where_an_inference_hangs) {
  for (const char* mode : {"every-frame", "latest"}) {
    Gate gate;
    Bench bench({{"output", "mask"},
                 {"mode", mode},
                 {"inference-timeout", kShort},
                 {"model-file", gate.script()}},
                Upstream::live);
    ck_assert(bench.send_caps(kCaps));
    while (bench.warnings().empty()) {
      ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
      assert_plain(bench.pull().get());
    }
    set_properties(bench.element(), {{"model-file", "fake:"}});
    BufferPtr mask;
    do {
      ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
      mask = bench.pull();
    } while (is_gap(mask.get()));
    ck_assert(is_uniform(mask.get(), 255));
    gate.open();
  }
}
END_TEST

START_TEST(test_b9_an_inference_that_never_returns_is_left_behind) {
  const struct {
    GstState down_to;
    bool swapped;  // the model had given way to another while it hung
  } cases[] = {{GST_STATE_READY, false}, {GST_STATE_NULL, false}, {GST_STATE_NULL, true}};
  constexpr std::size_t kCases = G_N_ELEMENTS(cases);
  std::vector<std::unique_ptr<Gate>> gates;
  std::vector<std::unique_ptr<Bench>> benches;
  std::vector<std::thread> stops;
  GstStateChangeReturn results[kCases] = {};
  for (std::size_t i = 0; i < kCases; ++i) {
    gates.push_back(std::make_unique<Gate>());
    benches.push_back(std::make_unique<Bench>(
        Properties{{"output", "mask"}, {"mode", "latest"}, {"model-file", gates[i]->script()}}));
    Bench& bench = *benches[i];
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
    gates[i]->wait_until_begun();
    set_properties(bench.element(), {{"model-file", "fake:size=9x9"}});
    StructurePtr info;
    int width = 0;
    while (cases[i].swapped && width != 9) {
      ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
      GstStructure* now = nullptr;
      g_object_get(bench.element(), "model-info", &now, nullptr);
      info.reset(now);
      gst_structure_get_int(now, "input-width", &width);
    }
    stops.emplace_back([&results, &cases, &bench, i] {
      results[i] = gst_element_set_state(bench.element(), cases[i].down_to);
    });
  }
  for (std::thread& stop : stops) stop.join();
  for (std::size_t i = 0; i < kCases; ++i) {
    Bench& bench = *benches[i];
    ck_assert_int_eq(results[i], GST_STATE_CHANGE_SUCCESS);
    assert_only(bench.errors(), GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SHUTDOWN, "left behind");
    while (bench.pull()) {
    }
    // A fresh one takes its place.
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                     GST_STATE_CHANGE_SUCCESS);
    set_properties(bench.element(), {{"mode", "every-frame"}});
    ck_assert_int_eq(bench.push(frame(200)), GST_FLOW_OK);
    ck_assert(is_uniform(bench.pull().get(), 255));
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_NULL),
                     GST_STATE_CHANGE_SUCCESS);
    ck_assert_uint_eq(bench.errors().size(), 0);
    // It frees itself, should it return after all.
    gates[i]->open();
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("timeouts");
  TCase* tests = tcase_create("inferences that hang");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_b9_live_frames_pass_while_an_inference_hangs);
  tcase_add_test(tests, test_b9_an_overlay_of_nothing_is_the_plain_frame);
  tcase_add_test(tests, test_b9_elsewhere_on_error_says_what_happens);
  tcase_add_test(tests, test_b9_thirty_frames_that_wait_in_vain_end_it);
  tcase_add_test(tests, test_b9_a_batch_that_hangs_is_one_fault);
  tcase_add_test(tests, test_b9_in_latest_mode_frames_keep_the_mask_before_until_it_is_too_old);
  tcase_add_test(tests, test_b9_what_returns_in_time_is_not_given_up);
  tcase_add_test(tests, test_b9_another_model_goes_on_where_an_inference_hangs);
  tcase_add_test(tests, test_b9_an_inference_that_never_returns_is_left_behind);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
