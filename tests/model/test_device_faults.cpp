// SPDX-License-Identifier: MIT
// Errors of a GPU, injected: what each is taken for, and what is done about it.
#include "model/engine/cuda/device_faults.h"

#include <new>
#include <vector>

#include "tests/assertions.h"

using namespace unetseg;
using namespace unetseg::cuda;

namespace {

// As LibTorch 1.13, 2.6 and 2.11, cuDNN and cuBLAS word them.
const char* const kOutOfMemory[] = {
    "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 15.75 GiB total capacity)",
    "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 79.1 GiB",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "CUDA driver error: out of memory",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
};
const char* const kLost[] = {
    "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be",
    "CUDA error: unspecified launch failure",
    "CUDA error: uncorrectable ECC error encountered",
    "CUDA error: device-side assert triggered",
    "CUDA error: misaligned address",
    "CUDA error: the launch timed out and was terminated",
    "CUDA driver error: an illegal instruction was encountered",
};
const char* const kOther[] = {
    "cuDNN error: CUDNN_STATUS_NOT_SUPPORTED",
    "CUDA error: invalid argument",
    "CUDA error: operation not permitted when stream is capturing",
    "The size of tensor a (3) must match the size of tensor b (4)",
    "",
};

// A device that fails as it is told, and remembers what was done to it.
class Device {
 public:
  // A name that no other test has lost.
  explicit Device(std::string device_name) : name(std::move(device_name)) {}

  Remedies remedies() {
    return {[this] {
              done.push_back("free");
              if (!free_fails.empty()) throw std::runtime_error(free_fails);
            },
            [this] {
              done.push_back("synchronise");
              if (is_ill) throw std::runtime_error("CUDA error: unknown error");
            }};
  }

  // Work that fails with each of `messages`, one after the other, and then does not.
  void run(std::vector<std::string> messages, int retries = 1) {
    run_guarded(name, remedies(), retries, [&] {
      done.push_back("work");
      if (messages.empty()) return;
      const std::string message = messages.front();
      messages.erase(messages.begin());
      throw std::runtime_error(message);
    });
  }

  std::string history() const {
    std::string all;
    for (const std::string& step : done) all += (all.empty() ? "" : " ") + step;
    return all;
  }

  const std::string name;
  std::string free_fails;
  bool is_ill = false;
  std::vector<std::string> done;
};

START_TEST(test_b5_b6_b7_errors_are_told_apart_by_their_words) {
  for (const char* message : kOutOfMemory)
    ck_assert_msg(fault_of_message(message) == DeviceFault::out_of_memory, "%s", message);
  for (const char* message : kLost)
    ck_assert_msg(fault_of_message(message) == DeviceFault::lost, "%s", message);
  for (const char* message : kOther)
    ck_assert_msg(fault_of_message(message) == DeviceFault::other, "%s", message);
}
END_TEST

START_TEST(test_b5_b6_b7_errors_are_told_apart_by_their_codes) {
  ck_assert(fault_of_code(2) == DeviceFault::out_of_memory);
  for (const int code : {214, 700, 702, 710, 716, 719})
    ck_assert(fault_of_code(code) == DeviceFault::lost);
  for (const int code : {1, 9, 98, 209, 900, 999})
    ck_assert(fault_of_code(code) == DeviceFault::other);
}
END_TEST

START_TEST(test_b5_a_load_that_finds_no_memory_says_so_at_once) {
  Device device("b5");
  const Error error = error_of([&] { device.run({kOutOfMemory[1]}, 0); });
  assert_fault(error, Fault::no_space);
  assert_presentable(error);
  assert_mentions(error, "b5");
  assert_equal(device.history(), "work");
}
END_TEST

START_TEST(test_b6_memory_that_runs_out_is_freed_and_the_frame_tried_again_once) {
  Device device("b6");
  device.run({kOutOfMemory[0]});
  assert_equal(device.history(), "work free work");
  device.done.clear();
  assert_fault(error_of([&] { device.run({kOutOfMemory[0], kOutOfMemory[4]}); }), Fault::no_space);
  assert_equal(device.history(), "work free work");
  device.done.clear();
  device.free_fails = "CUDA error: invalid argument";
  device.run({kOutOfMemory[2]});
  assert_equal(device.history(), "work free work");
  device.run({});  // and the device is as good as before
}
END_TEST

START_TEST(test_b7_a_lost_device_is_never_tried_again) {
  int fault_count = 0;
  for (const char* message : kLost) {
    const std::string name = "b7-" + std::to_string(fault_count++);
    Device device(name);
    const Error first = error_of([&] { device.run({message}); });
    assert_fault(first, Fault::device_lost);
    assert_presentable(first);
    assert_mentions(first, "restart the process");
    assert_equal(device.history(), "work");
    // Nor by another session on it.
    Device same(name);
    assert_fault(error_of([&] { same.run({}); }), Fault::device_lost);
    assert_equal(same.history(), "");
    assert_fault(error_of([&] { require_usable(name); }), Fault::device_lost);
    ck_assert(is_lost(name));
  }
  Device other("b7-other");
  other.run({});
  assert_equal(other.history(), "work");
  ck_assert(!is_lost("b7-other"));
}
END_TEST

START_TEST(test_b7_a_device_lost_while_memory_is_freed_is_lost) {
  Device device("b7-freeing");
  device.free_fails = kLost[0];
  assert_fault(error_of([&] { device.run({kOutOfMemory[0]}); }), Fault::device_lost);
  assert_equal(device.history(), "work free");
}
END_TEST

START_TEST(test_b7_an_unknown_error_is_the_devices_where_it_cannot_even_be_waited_for) {
  Device well("b7-well");
  bool thrown_on = false;
  try {
    well.run({"cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"});
  } catch (const Error&) {
  } catch (const std::runtime_error& error) {
    thrown_on = std::string(error.what()) == "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED";
  }
  ck_assert(thrown_on);
  assert_equal(well.history(), "work synchronise");
  Device ill("b7-ill");
  ill.is_ill = true;
  assert_fault(error_of([&] { ill.run({"cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"}); }),
               Fault::device_lost);
  assert_equal(ill.history(), "work synchronise");
}
END_TEST

START_TEST(test_b7_a_kernel_of_ours_that_fails_counts_by_its_code) {
  Device device("b7-launch");
  assert_fault(error_of([&] {
                 run_guarded(device.name, device.remedies(), 1, [] { throw LaunchError(700); });
               }),
               Fault::device_lost);
}
END_TEST

START_TEST(test_b8_what_is_no_fault_of_the_device_is_thrown_on) {
  Device device("b8");
  assert_fault(error_of([&] {
                 run_guarded(device.name, device.remedies(), 1,
                             [] { throw Error(Fault::bad_result, "not finite"); });
               }),
               Fault::bad_result);
  bool is_bad_alloc = false;
  try {
    run_guarded(device.name, device.remedies(), 1, [] { throw std::bad_alloc(); });
  } catch (const std::bad_alloc&) {
    is_bad_alloc = true;
  }
  ck_assert(is_bad_alloc);
  assert_equal(device.history(), "");
}
END_TEST

}  // namespace

int main() {
  Suite* suite = suite_create("faults of a GPU");
  TCase* tests = tcase_create("injected");
  tcase_add_test(tests, test_b5_b6_b7_errors_are_told_apart_by_their_words);
  tcase_add_test(tests, test_b5_b6_b7_errors_are_told_apart_by_their_codes);
  tcase_add_test(tests, test_b5_a_load_that_finds_no_memory_says_so_at_once);
  tcase_add_test(tests, test_b6_memory_that_runs_out_is_freed_and_the_frame_tried_again_once);
  tcase_add_test(tests, test_b7_a_lost_device_is_never_tried_again);
  tcase_add_test(tests, test_b7_a_device_lost_while_memory_is_freed_is_lost);
  tcase_add_test(tests, test_b7_an_unknown_error_is_the_devices_where_it_cannot_even_be_waited_for);
  tcase_add_test(tests, test_b7_a_kernel_of_ours_that_fails_counts_by_its_code);
  tcase_add_test(tests, test_b8_what_is_no_fault_of_the_device_is_thrown_on);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
