// SPDX-License-Identifier: MIT
// unetseg-capture from the outside: what it prints and saves, and how it takes a camera that goes
// and comes back. Exits with 77 where GStreamer lacks an element.
#include <gst/app/app.h>

#include <memory>

#include "tests/assertions.h"
#include "tests/pipelines/needs.h"
#include "tests/pipelines/program.h"
#include "tests/temporary_folder.h"

namespace {

const std::string kFrames = "video/x-raw,format=RGB,width=64,height=48,framerate=30/1";

std::vector<std::string> capture(const std::string& source,
                                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> command = {UNETSEG_CAPTURE,   "--no-window", "--model",
                                      "fake:size=64x48", "--source",    source};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::vector<guint8> pixels_of(const std::string& png, const std::string& format) {
  const std::string launch = "filesrc location=" + png +
                             " ! pngdec ! video/x-raw,format=" + format +
                             " ! appsink name=out sync=false";
  GstElement* pipeline = gst_parse_launch(launch.c_str(), nullptr);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstElement* out = gst_bin_get_by_name(GST_BIN(pipeline), "out");
  GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(out));
  ck_assert_msg(sample != nullptr, "%s is no %s picture", png.c_str(), format.c_str());
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  std::vector<guint8> pixels(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, pixels.data(), pixels.size());
  gst_sample_unref(sample);
  gst_object_unref(out);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return pixels;
}

// A camera that can be unplugged: frames in shared memory, until the object is gone.
class Camera {
 public:
  Camera(const std::string& socket, const std::string& pattern) {
    const std::string launch = "videotestsrc is-live=true pattern=" + pattern + " ! " + kFrames +
                               " ! shmsink shm-size=1000000 socket-path=" + socket;
    pipeline_ = gst_parse_launch(launch.c_str(), nullptr);
    ck_assert_int_ne(gst_element_set_state(pipeline_, GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);
  }
  ~Camera() {
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    gst_object_unref(pipeline_);
  }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

 private:
  GstElement* pipeline_;
};

}  // namespace

START_TEST(test_a_live_picture_is_measured_until_enough_is_seen) {
  Program all(capture("videotestsrc is-live=true pattern=red ! " + kFrames, {"-n", "5"}));
  for (int i = 0; i < 5; ++i) all.wait_for(": area 3072 px, diameter 80.0 px, confidence 1.00\n");
  ck_assert_int_eq(all.exit_code(), 0);
  Program none(capture("videotestsrc is-live=true pattern=black ! " + kFrames, {"-n", "2"}));
  for (int i = 0; i < 2; ++i) none.wait_for(": no lesion\n");
  ck_assert_int_eq(none.exit_code(), 0);
}
END_TEST

// Without outline in the frame, and with the mask of that very frame.
START_TEST(test_enter_saves_a_frame_as_it_came_with_its_mask) {
  const TemporaryFolder folder;
  Program program(capture("videotestsrc pattern=ball ! " + kFrames, {"-o", folder.path()}));
  for (const char* number : {"1", "2"}) {
    program.type("\n");
    program.wait_for(std::string("saved frame-") + number);
    const auto frame = pixels_of(folder.path() + "/frame-" + number + ".png", "RGB");
    const auto mask = pixels_of(folder.path() + "/mask-" + number + ".png", "GRAY8");
    ck_assert_uint_eq(mask.size(), 64 * 48);
    ck_assert_uint_eq(frame.size(), 3 * mask.size());
    for (std::size_t i = 0; i < mask.size(); ++i) {
      ck_assert_msg(frame[3 * i] == frame[3 * i + 2], "a coloured pixel at %zu", i);
      ck_assert_uint_eq(mask[i], frame[3 * i] >= 128 ? 255 : 0);
    }
    ck_assert_uint_gt(std::count(mask.begin(), mask.end(), 255), 100);
  }
  program.interrupt();
  ck_assert_int_eq(program.exit_code(), 0);
}
END_TEST

START_TEST(test_the_folder_to_save_to_is_made_at_the_start) {
  const TemporaryFolder folder;
  const std::string source = "videotestsrc pattern=ball ! " + kFrames;
  const std::string fresh = folder.path() + "/a/b", file = folder.path() + "/file";
  Program program(capture(source, {"-o", fresh}));
  program.wait_for("frame ");
  program.type("\n");
  program.wait_for("saved frame-1");
  ck_assert_uint_gt(pixels_of(fresh + "/mask-1.png", "GRAY8").size(), 0);
  // What is there stays: the numbers go on.
  Program again(capture(source, {"-o", fresh}));
  again.wait_for("frame ");
  again.type("\n");
  again.wait_for("saved frame-2.png and mask-2.png");

  std::ofstream(file) << "no folder";
  Program refused(with_errors(capture(source, {"-o", file})));
  refused.wait_for("error: " + file + " cannot be saved to: ");
  ck_assert_int_eq(refused.exit_code(), 2);
}
END_TEST

START_TEST(test_the_end_of_a_file_is_the_end) {
  Program program(capture("videotestsrc num-buffers=5 pattern=red ! " + kFrames));
  program.wait_for("frame 4: area 3072 px");
  program.output();
  ck_assert_int_eq(program.exit_code(), 0);
}
END_TEST

START_TEST(test_s12_a_camera_that_was_unplugged_is_waited_for) {
  g_unsetenv("G_DEBUG");  // shmsrc without its socket is a GLib critical of its own
  const TemporaryFolder folder;
  const std::string socket = folder.path() + "/camera";
  auto camera = std::make_unique<Camera>(socket, "red");
  Program program(
      capture("shmsrc is-live=true do-timestamp=true socket-path=" + socket + " ! " + kFrames));
  program.wait_for(": area 3072 px");
  camera.reset();
  camera = std::make_unique<Camera>(socket, "black");
  program.wait_for(": no lesion");
  program.interrupt();
  ck_assert_int_eq(program.exit_code(), 0);
}
END_TEST

START_TEST(test_a_camera_that_never_was_is_an_error) {
  Program missing(capture("filesrc location=/nowhere/at/all ! " + kFrames));
  ck_assert_int_eq(missing.exit_code(), 1);
  Program unknown(capture("nonsense"));
  ck_assert_int_eq(unknown.exit_code(), 2);
}
END_TEST

START_TEST(test_without_the_element_it_says_what_to_do) {
  const TemporaryFolder folder;
  leave_elements({"videotestsrc", "videoconvert"}, folder.path());
  Program program(with_errors(capture("videotestsrc")));
  program.wait_for(": install it, or run this in the shell that `meson devenv -C build");
  ck_assert_int_eq(program.exit_code(), 2);
  Program other(with_errors(capture("nonsense")));
  ck_assert(other.output().find("install") == std::string::npos);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"videoconvert", "pngenc", "pngdec", "shmsrc", "appsink"})) return 77;
  Suite* suite = suite_create("capture app");
  TCase* tests = tcase_create("capture app");
  tcase_add_test(tests, test_a_live_picture_is_measured_until_enough_is_seen);
  tcase_add_test(tests, test_enter_saves_a_frame_as_it_came_with_its_mask);
  tcase_add_test(tests, test_the_folder_to_save_to_is_made_at_the_start);
  tcase_add_test(tests, test_the_end_of_a_file_is_the_end);
  tcase_add_test(tests, test_s12_a_camera_that_was_unplugged_is_waited_for);
  tcase_add_test(tests, test_a_camera_that_never_was_is_an_error);
  tcase_add_test(tests, test_without_the_element_it_says_what_to_do);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
