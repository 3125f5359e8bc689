// SPDX-License-Identifier: MIT
// GStreamer's own CUDA library with a driver that it cannot use: the fake one has few functions.
#include <gmodule.h>

#include "tests/plugin/cuda/fake_cuda.h"
#include "tests/plugin/cuda/no_gpu_memory.h"

START_TEST(test_a_driver_that_gstreamer_cannot_use_leaves_frames_in_system_memory) {
  assert_frames_stay_in_system_memory();
  ck_assert_int_eq(fake_cuda_primary_contexts(), 0);
}
END_TEST

int main(int argc, char** argv) {
  if (g_module_open("libgstcuda-1.0.so.0", G_MODULE_BIND_LAZY) == nullptr) {
    std::puts("skipped: GStreamer's CUDA library is not installed");
    return 77;
  }
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("useless driver");
  TCase* tests = tcase_create("system memory");
  tcase_add_test(tests, test_a_driver_that_gstreamer_cannot_use_leaves_frames_in_system_memory);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
