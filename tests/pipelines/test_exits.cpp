// SPDX-License-Identifier: MIT
// Programs that end in the middle of a stream (S16).
#include <filesystem>

#include "tests/pipelines/program.h"
#include "tests/temporary_folder.h"

namespace {

bool exists(const std::string& path) {
  return std::filesystem::exists(path);
}

}  // namespace

// Ctrl-C with -e: what was taken in comes out, and the end is a good one.
START_TEST(test_s16_an_interrupt_ends_a_recording_well) {
  for (const char* mode : {"every-frame", "latest"}) {
    TemporaryFolder folder;
    Program launch({UNETSEG_GST_LAUNCH, "-e", "videotestsrc", "is-live=true", "!",
                    "video/x-raw,format=I420,width=64,height=48,framerate=50/1", "!", "unetseg",
                    "model-file=fake:delay-ms=10", std::string("mode=") + mode, "!",
                    "multifilesink", "location=" + folder.path() + "/%d"});
    while (!exists(folder.path() + "/5")) g_usleep(1000);
    launch.interrupt();
    launch.output();
    ck_assert_int_eq(launch.exit_code(), 0);
    for (int i = 0; exists(folder.path() + "/" + std::to_string(i)); ++i)
      ck_assert_uint_eq(std::filesystem::file_size(folder.path() + "/" + std::to_string(i)),
                        64 * 48 * 3 / 2);
  }
}
END_TEST

START_TEST(test_s16_a_program_may_end_without_stopping_the_pipeline) {
  for (int i = 0; i < 20; ++i) ck_assert_int_eq(Program({UNETSEG_EXITS_PLAYING}).exit_code(), 0);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("exits");
  TCase* tests = tcase_create("exits");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_s16_an_interrupt_ends_a_recording_well);
  tcase_add_test(tests, test_s16_a_program_may_end_without_stopping_the_pipeline);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
