// SPDX-License-Identifier: MIT
// pipelines/measure.py from the outside: the table that it prints. Exits with 77 where Python lacks
// GStreamer.
#include "tests/assertions.h"
#include "tests/pipelines/needs.h"
#include "tests/pipelines/program.h"
#include "tests/temporary_folder.h"

namespace {

const std::string kFrames = " ! video/x-raw,format=RGB,width=30,height=16";  // rows of 32 bytes

std::vector<std::string> measure(const std::string& source, const std::string& model) {
  return {UNETSEG_PYTHON, UNETSEG_MEASURE, "--source", source, "model-file=" + model};
}

}  // namespace

START_TEST(test_each_frame_is_a_row_with_what_its_mask_says) {
  Program program(measure("videotestsrc num-buffers=3 pattern=red" + kFrames, "fake:size=30x16"));
  std::string rows = "timestamp,mask-age,found,area,diameter,asymmetry,confidence,mask-pixels\r\n";
  for (const char* time : {"0", "33333333", "66666666"})
    rows += std::string(time) + ",0,True,480.0,34.0,0.0,1.0,480\r\n";
  assert_equal(program.output(), rows);
  ck_assert_int_eq(program.exit_code(), 0);
}
END_TEST

START_TEST(test_a_frame_of_which_nothing_is_known_has_no_row) {
  Program program(measure("videotestsrc num-buffers=3 pattern=black" + kFrames,
                          "fake:size=30x16,nan-at=2 on-error=pass"));
  program.wait_for("\n0,0,False,0.0,0.0,0.0,");
  program.wait_for("\n66666666,0,False,0.0,0.0,0.0,");
  ck_assert(program.output().find("33333333") == std::string::npos);
  ck_assert_int_eq(program.exit_code(), 0);
}
END_TEST

START_TEST(test_what_fails_is_an_exit_code) {
  for (const auto& command :
       {measure("videotestsrc" + kFrames, "fake:open=read"), measure("nonsense", "fake:"),
        measure("filesrc location=/nowhere/at/all ! jpegdec", "fake:"),
        measure("videotestsrc", "fake: no-such-property=1")}) {
    Program program(command);
    program.output();
    ck_assert_int_eq(program.exit_code(), 1);
  }
}
END_TEST

START_TEST(test_without_the_element_it_says_what_to_do) {
  const TemporaryFolder folder;
  leave_elements({"videotestsrc", "videoconvert"}, folder.path());
  Program program(with_errors(measure("videotestsrc", "fake:")));
  program.wait_for(": install it, or run this in the shell that `meson devenv -C build");
  ck_assert_int_eq(program.exit_code(), 1);
}
END_TEST

// The two unwinders of such a process (see the head of measure.py).
START_TEST(test_a_failure_after_another_cpp_library_is_no_crash) {
  const std::string run =
      "import ctypes, runpy, sys; ctypes.CDLL('libstdc++.so.6'); "
      "sys.argv = ['measure', '--source', 'videotestsrc', 'model-file=no-script'];"
      "runpy.run_path('" UNETSEG_MEASURE "', run_name='__main__')";
  Program program({UNETSEG_PYTHON, "-c", run});
  program.output();
  ck_assert_int_eq(program.exit_code(), 1);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  const char* needs = UNETSEG_PYTHON
      " -c \"import gi; gi.require_version('GstApp', '1.0'); from gi.repository import GstApp\"";
  gint status = 0;
  if (!g_spawn_command_line_sync(needs, nullptr, nullptr, &status, nullptr) || status != 0) {
    std::printf("skipped: %s lacks python3-gi or gir1.2-gst-plugins-base-1.0\n", UNETSEG_PYTHON);
    return 77;
  }
  Suite* suite = suite_create("measure");
  TCase* tests = tcase_create("measure");
  tcase_add_test(tests, test_each_frame_is_a_row_with_what_its_mask_says);
  tcase_add_test(tests, test_a_frame_of_which_nothing_is_known_has_no_row);
  tcase_add_test(tests, test_what_fails_is_an_exit_code);
  tcase_add_test(tests, test_without_the_element_it_says_what_to_do);
  tcase_add_test(tests, test_a_failure_after_another_cpp_library_is_no_crash);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
