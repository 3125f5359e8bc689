// SPDX-License-Identifier: MIT
// A machine without NVIDIA's driver, with GStreamer's CUDA library or without it.
#include <gmodule.h>

#include "tests/plugin/cuda/no_gpu_memory.h"

START_TEST(test_without_a_driver_frames_stay_in_system_memory) {
  assert_frames_stay_in_system_memory();
}
END_TEST

int main(int argc, char** argv) {
  if (g_module_open("libcuda.so.1", G_MODULE_BIND_LAZY) != nullptr) {
    std::puts("skipped: this machine has a driver");
    return 77;
  }
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("no driver");
  TCase* tests = tcase_create("system memory");
  tcase_add_test(tests, test_without_a_driver_frames_stay_in_system_memory);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
