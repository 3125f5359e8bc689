// SPDX-License-Identifier: MIT
// Check for C++ suites. Include LibTorch and C++ headers before this file: GStreamer's flavour of
// Check defines macros (`fail`) that break them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#ifdef UNETSEG_TEST_GSTREAMER
#include <gst/check/gstcheck.h>
#else
#include <check.h>
#endif
#undef fail

// What hangs is ended after a minute. Check's own four seconds would fail a test for a busy machine.
inline const int patience = setenv("CK_DEFAULT_TIMEOUT", "60", 0);

// A suite's main: runs `suite`, prints what failed, and returns the verdict as the exit code.
inline int run_suite(Suite* suite) {
  SRunner* runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  const int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
