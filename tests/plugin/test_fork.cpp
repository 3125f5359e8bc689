// SPDX-License-Identifier: MIT
// Processes that fork while the element runs.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/plugin/gate.h"

using unetseg::EventPtr;

namespace {

const std::string kCaps = caps_of("GRAY8", 8, 8);

BufferPtr frame() {
  return bytes_buffer(64, 200);
}

// Runs `call` in a child, which ends where it returns. The answer is whether it returned true; what
// hangs is ended.
bool holds_in_a_child(const std::function<bool()>& call) {
  const pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    alarm(50);
    _exit(call() ? 0 : 1);  // no destructors: they are the parent's
  }
  int status = 0;
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert_msg(!WIFSIGNALED(status), "the child was ended by signal %d", WTERMSIG(status));
  return WEXITSTATUS(status) == 0;
}

bool goes_to(Bench& bench, GstState state, GstStateChangeReturn expected) {
  return gst_element_set_state(bench.element(), state) == expected;
}

bool is_refusal(const std::vector<Notice>& errors) {
  return errors.size() == 1 && errors[0].domain == GST_LIBRARY_ERROR &&
         errors[0].code == GST_LIBRARY_ERROR_FAILED;
}

bool frees_an_event(Bench& bench) {
  const EventPtr gap(gst_event_new_gap(GST_SECOND, GST_SECOND));
  return !bench.send(gst_event_ref(gap.get())) && GST_MINI_OBJECT_REFCOUNT_VALUE(gap.get()) == 1;
}

}  // namespace

START_TEST(test_s15_a_forked_child_gets_an_error_and_its_parent_goes_on) {
  for (const char* mode : {"every-frame", "latest"}) {
    Bench bench({{"output", "mask"}, {"mode", mode}});
    ck_assert(bench.send_caps(kCaps));
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    bench.pull();
    ck_assert(holds_in_a_child([&] {
      return bench.push(frame()) == GST_FLOW_ERROR && is_refusal(bench.errors()) &&
             frees_an_event(bench) && goes_to(bench, GST_STATE_NULL, GST_STATE_CHANGE_SUCCESS);
    }));
    while (bench.stat("inferences") < 3) {
      ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
      bench.pull();
    }
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    ck_assert(is_uniform(bench.pull().get(), 255));
    ck_assert_uint_eq(bench.errors().size(), 0);
  }
}
END_TEST

START_TEST(test_s15_a_fork_during_an_inference_hangs_nobody) {
  Gate gate;
  Bench bench({{"output", "mask"}, {"mode", "latest"}, {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
  bench.pull();
  gate.wait_until_begun();
  ck_assert(holds_in_a_child([&] {
    return bench.push(frame()) == GST_FLOW_ERROR && is_refusal(bench.errors()) &&
           goes_to(bench, GST_STATE_NULL, GST_STATE_CHANGE_SUCCESS);
  }));
  gate.open();
  while (bench.stat("inferred") < 2) {
    ck_assert_int_eq(bench.push(frame()), GST_FLOW_OK);
    const BufferPtr mask = bench.pull();
    if (bench.stat("inferred") == 2) ck_assert(is_uniform(mask.get(), 255));
  }
}
END_TEST

// The streaming thread has the pad's lock, and is not there to give it back.
START_TEST(test_s15_stopping_in_a_child_does_not_wait_for_the_parents_streaming_thread) {
  Gate gate;
  Bench bench({{"output", "mask"}, {"mode", "every-frame"}, {"model-file", gate.script()}});
  ck_assert(bench.send_caps(kCaps));
  GstFlowReturn flow = GST_FLOW_ERROR;
  std::thread streaming([&] { flow = bench.push(frame()); });
  gate.wait_until_begun();
  ck_assert(holds_in_a_child([&] {
    const bool stops = goes_to(bench, GST_STATE_NULL, GST_STATE_CHANGE_SUCCESS);
    return stops && goes_to(bench, GST_STATE_READY, GST_STATE_CHANGE_FAILURE) &&
           is_refusal(bench.errors());
  }));
  gate.open();
  streaming.join();
  ck_assert_int_eq(flow, GST_FLOW_OK);
  ck_assert(is_uniform(bench.pull().get(), 255));
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("fork");
  TCase* tests = tcase_create("forks");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_s15_a_forked_child_gets_an_error_and_its_parent_goes_on);
  tcase_add_test(tests, test_s15_a_fork_during_an_inference_hangs_nobody);
  tcase_add_test(tests,
                 test_s15_stopping_in_a_child_does_not_wait_for_the_parents_streaming_thread);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
