// SPDX-License-Identifier: MIT
// States: what is loaded and freed when, what a failed start leaves, and starts after its cure.
#include <chrono>

#include "tests/temporary_folder.h"

#include "tests/plugin/lone_element.h"

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame() {
  return bytes_buffer(64, 200);
}

std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

// Down to `state` and up again; the harness's pads stay as they are.
void restart(Bench& bench, GstState state) {
  ck_assert_int_eq(gst_element_set_state(bench.element(), state), GST_STATE_CHANGE_SUCCESS);
  ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_PLAYING),
                   GST_STATE_CHANGE_SUCCESS);
}

GstFlowReturn play_a_frame(Bench& bench) {
  // A sticky event goes to the restarted element again by itself.
  const GstFlowReturn flow = bench.push(frame());
  bench.pull();
  return flow;
}

StructurePtr model_info(GstElement* element) {
  GstStructure* info = nullptr;
  g_object_get(element, "model-info", &info, nullptr);
  return StructurePtr(info);
}

}  // namespace

START_TEST(test_s7_threads_and_descriptors_are_back_after_each_cycle) {
  LoneElement alone({});
  const auto cycle = [&alone] {
    for (const GstState state : {GST_STATE_PLAYING, GST_STATE_NULL})
      ck_assert_int_eq(alone.set(state), GST_STATE_CHANGE_SUCCESS);
  };
  cycle();
  const std::size_t threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
  for (int i = 0; i < 200; ++i) cycle();
  ck_assert_uint_eq(entries("/proc/self/fd"), files);
  // A thread that was joined leaves /proc a moment later.
  for (int i = 0; i < 2000 && entries("/proc/self/task") != threads; ++i) g_usleep(1000);
  ck_assert_uint_eq(entries("/proc/self/task"), threads);
  ck_assert_uint_eq(alone.errors().size(), 0);
}
END_TEST

START_TEST(test_s7_random_walks_through_the_states_succeed) {
  LoneElement alone({});
  std::uint32_t seed = 1;
  for (int i = 0; i < 1000; ++i) {
    seed = seed * 1664525u + 1013904223u;
    const GstState state = static_cast<GstState>(GST_STATE_NULL + (seed >> 30));
    ck_assert_int_eq(alone.set(state), GST_STATE_CHANGE_SUCCESS);
  }
  ck_assert_uint_eq(alone.errors().size(), 0);
}
END_TEST

START_TEST(test_s8_stopping_ends_the_wait_for_an_inference_and_pushes_nothing) {
  for (const GstState state : {GST_STATE_READY, GST_STATE_NULL}) {
    const TemporaryFolder gate;
    Bench bench({{"model-file", "fake:gate=" + gate.path()}});
    ck_assert(bench.send_caps(kCaps));
    GstFlowReturn flow = GST_FLOW_OK;
    bool waited_for_it = true;
    std::thread streaming([&] {
      flow = bench.push(frame());
      waited_for_it = std::filesystem::exists(gate.path() + "/done");
      std::ofstream(gate.path() + "/go");  // the state change waits for the inference
    });
    wait_for_file(gate.path() + "/begun");
    ck_assert_int_eq(gst_element_set_state(bench.element(), state), GST_STATE_CHANGE_SUCCESS);
    // None is running any more: its buffers could be freed.
    ck_assert(std::filesystem::exists(gate.path() + "/done"));
    streaming.join();
    ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
    ck_assert(!waited_for_it);
    ck_assert(bench.pull() == nullptr);
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

START_TEST(test_s7_s8_two_hundred_stops_while_frames_flow) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  for (int i = 0; i < 200; ++i) {
    GstFlowReturn flow = GST_FLOW_OK;
    std::thread streaming([&] {
      while (flow == GST_FLOW_OK) flow = play_a_frame(bench);
    });
    const GstState state = i % 2 ? GST_STATE_READY : GST_STATE_NULL;
    ck_assert_int_eq(gst_element_set_state(bench.element(), state), GST_STATE_CHANGE_SUCCESS);
    streaming.join();
    ck_assert_int_eq(flow, GST_FLOW_FLUSHING);
    restart(bench, state);
  }
  ck_assert_int_eq(play_a_frame(bench), GST_FLOW_OK);
  ck_assert_uint_eq(bench.errors().size(), 0);
}
END_TEST

// The fake counts frames for each session: one that failed with its second frame has been kept.
START_TEST(test_the_model_stays_loaded_in_ready_until_another_is_asked_for) {
  struct {
    const char* name;
    GstState down_to;
    Properties changed;
    bool kept;
  } const cases[] = {
      {"nothing changed", GST_STATE_READY, {}, true},
      {"style changed", GST_STATE_READY, {{"opacity", "0.1"}, {"output", "mask"}}, true},
      {"unloaded", GST_STATE_NULL, {}, false},
      {"another file", GST_STATE_READY, {{"model-file", "fake:exception-at=2,size=9x9"}}, false},
      {"another device", GST_STATE_READY, {{"device", "cpu"}}, false},
      {"other threads", GST_STATE_READY, {{"threads", "3"}}, false},
  };
  for (const auto& c : cases) {
    Bench bench({{"model-file", "fake:exception-at=2"}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(play_a_frame(bench), GST_FLOW_OK);
    ck_assert_int_eq(gst_element_set_state(bench.element(), c.down_to), GST_STATE_CHANGE_SUCCESS);
    set_properties(bench.element(), c.changed);
    restart(bench, c.down_to);
    const GstFlowReturn flow = play_a_frame(bench);
    ck_assert_msg(flow == (c.kept ? GST_FLOW_ERROR : GST_FLOW_OK), "%s: %s", c.name,
                  gst_flow_get_name(flow));
  }
}
END_TEST

START_TEST(test_s13_a_file_that_was_replaced_in_ready_is_a_new_model) {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/model", other = folder.path() + "/other";
  const auto write = [](const std::string& path) {
    std::ofstream(path) << "fake:exception-at=2\n";
  };
  write(file);
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"read", [] {}},
      {"renamed over",
       [&] {
         write(other);
         std::filesystem::rename(other, file);
       }},
      {"longer", [&] { std::ofstream(file, std::ios::app) << "\n"; }},
      {"touched", [&] {
         std::filesystem::last_write_time(
             file, std::filesystem::last_write_time(file) + std::chrono::seconds(1));
       }}};
  for (const auto& c : cases) {
    Bench bench({{"model-file", file}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(play_a_frame(bench), GST_FLOW_OK);
    ck_assert_int_eq(gst_element_set_state(bench.element(), GST_STATE_READY),
                     GST_STATE_CHANGE_SUCCESS);
    const bool kept = c.first == std::string("read");
    c.second();
    restart(bench, GST_STATE_READY);
    const GstFlowReturn flow = play_a_frame(bench);
    ck_assert_msg(flow == (kept ? GST_FLOW_ERROR : GST_FLOW_OK), "%s: %s", c.first,
                  gst_flow_get_name(flow));
  }
}
END_TEST

START_TEST(test_counts_start_anew_with_each_start) {
  Bench bench;
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(play_a_frame(bench), GST_FLOW_OK);
  ck_assert_uint_eq(bench.stat("frames"), 1);
  restart(bench, GST_STATE_READY);
  ck_assert_uint_eq(bench.stat("frames"), 0);
}
END_TEST

START_TEST(test_m1_to_m8_b5_b7_b8_a_failed_load_says_so_once_and_can_be_cured) {
  struct {
    const char* script;
    GQuark domain;
    int code;
  } const cases[] = {
      {"fake:open=not-found", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {"fake:open=open-read", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ},
      {"fake:open=read", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ},
      {"fake:open=settings", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS},
      {"fake:open=no-space", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"fake:open=no-device", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND},
      {"fake:open=failed", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
      {"fake:open=device-lost", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
      {"fake:open=bad-alloc", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"fake:open=exception", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
      {"fake:open=other", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
      {"fake:no-space-at=0", GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT},
      {"fake:nan-at=0", GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED},
      {"fake:other-at=0", GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED},
  };
  for (const auto& c : cases)
    for (const GstState down_to : {GST_STATE_READY, GST_STATE_NULL}) {
      LoneElement alone({{"model-file", c.script}});
      ck_assert_int_eq(alone.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
      ck_assert_msg(alone.set(GST_STATE_PAUSED) == GST_STATE_CHANGE_FAILURE, "%s", c.script);
      assert_only(alone.errors(), c.domain, c.code, "");
      ck_assert_int_eq(alone.set(down_to), GST_STATE_CHANGE_SUCCESS);
      set_properties(alone.get(), {{"model-file", "fake:"}});
      ck_assert_int_eq(alone.set(GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
      ck_assert_uint_eq(alone.errors().size(), 0);
    }
}
END_TEST

START_TEST(test_what_is_shown_as_loaded_is_loaded) {
  LoneElement alone({});
  ck_assert(model_info(alone.get()) == nullptr);
  ck_assert_int_eq(alone.set(GST_STATE_PAUSED), GST_STATE_CHANGE_SUCCESS);
  ck_assert(model_info(alone.get()) != nullptr);
  ck_assert_int_eq(alone.set(GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  ck_assert(model_info(alone.get()) != nullptr);
  set_properties(alone.get(), {{"model-file", "fake:open=read"}});
  ck_assert_int_eq(alone.set(GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  ck_assert(model_info(alone.get()) == nullptr);
  gint engine = -1;
  g_object_get(alone.get(), "engine", &engine, nullptr);
  ck_assert_int_eq(engine, 0);  // none
}
END_TEST

START_TEST(test_a_start_after_an_error_while_playing_succeeds) {
  for (const GstState down_to : {GST_STATE_READY, GST_STATE_NULL}) {
    Bench bench({{"model-file", "fake:nan-at=1"}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(play_a_frame(bench), GST_FLOW_ERROR);
    ck_assert_uint_eq(bench.errors().size(), 1);
    ck_assert_int_eq(gst_element_set_state(bench.element(), down_to), GST_STATE_CHANGE_SUCCESS);
    set_properties(bench.element(), {{"model-file", "fake:"}});
    restart(bench, down_to);
    ck_assert_int_eq(play_a_frame(bench), GST_FLOW_OK);
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("states");
  TCase* tests = tcase_create("starts and stops");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_s7_threads_and_descriptors_are_back_after_each_cycle);
  tcase_add_test(tests, test_s7_random_walks_through_the_states_succeed);
  tcase_add_test(tests, test_s8_stopping_ends_the_wait_for_an_inference_and_pushes_nothing);
  tcase_add_test(tests, test_s7_s8_two_hundred_stops_while_frames_flow);
  tcase_add_test(tests, test_the_model_stays_loaded_in_ready_until_another_is_asked_for);
  tcase_add_test(tests, test_s13_a_file_that_was_replaced_in_ready_is_a_new_model);
  tcase_add_test(tests, test_counts_start_anew_with_each_start);
  tcase_add_test(tests, test_m1_to_m8_b5_b7_b8_a_failed_load_says_so_once_and_can_be_cured);
  tcase_add_test(tests, test_what_is_shown_as_loaded_is_loaded);
  tcase_add_test(tests, test_a_start_after_an_error_while_playing_succeeds);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
