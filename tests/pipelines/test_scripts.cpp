// SPDX-License-Identifier: MIT
// The shell scripts of pipelines/ on a short film whose name has spaces. Exits with 77 where
// GStreamer lacks what reads or writes films.
#include <filesystem>
#include <set>

#include "tests/pipelines/needs.h"
#include "tests/pipelines/pipeline.h"
#include "tests/pipelines/program.h"
#include "tests/temporary_folder.h"

namespace {

namespace fs = std::filesystem;

constexpr int kFrames = 5, kWidth = 64, kHeight = 48;

struct Film {
  Film() {
    fs::create_directories(path.parent_path());
    Pipeline writing("videotestsrc num-buffers=" + std::to_string(kFrames) +
                     " ! video/x-raw,width=64,height=48 ! jpegenc ! avimux ! filesink location=\"" +
                     path.string() + "\"");
    writing.set(GST_STATE_PLAYING);
    writing.wait_for(GST_MESSAGE_EOS);
  }
  TemporaryFolder folder;
  fs::path path = folder.path() + "/a folder/my film.avi",
           output = folder.path() + "/what comes out";
};

void run(const char* script, const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {std::string(UNETSEG_PIPELINES "/") + script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  Program program(command);
  const std::string printed = program.output();
  const int code = program.exit_code();
  ck_assert_msg(code == 0, "%s ended with %d: %s", script, code, printed.c_str());
}

// All frames of a film, one behind the other, in grey.
std::string pixels_of(const fs::path& film) {
  const fs::path raw = film.string() + ".raw";
  Pipeline reading(
      "filesrc location=\"" + film.string() +
      "\" ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 ! filesink location=\"" +
      raw.string() + "\"");
  reading.set(GST_STATE_PLAYING);
  reading.wait_for(GST_MESSAGE_EOS);
  std::ifstream file(raw, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

START_TEST(test_record_overlay_and_mask_leaves_both_in_step) {
  const Film film;
  run("record-overlay-and-mask", {film.path, film.output, "model-file=fake:"});
  ck_assert_uint_eq(pixels_of(film.output / "overlay.mkv").size(), kFrames * kWidth * kHeight);
  const std::string mask = pixels_of(film.output / "mask.mov");
  ck_assert_uint_eq(mask.size(), kFrames * kWidth * kHeight);
  ck_assert(std::set<char>(mask.begin(), mask.end()) == (std::set<char>{'\0', '\xff'}));
}
END_TEST

START_TEST(test_video_file_leaves_a_film) {
  const Film film;
  run("video-file", {film.path, film.output.string() + ".mkv", "model-file=fake:", "opacity=0.5"});
  ck_assert_uint_eq(pixels_of(film.output.string() + ".mkv").size(), kFrames * kWidth * kHeight);
}
END_TEST

}  // namespace

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"avimux", "avidemux", "jpegenc", "jpegdec", "matroskamux", "matroskademux",
                     "qtmux", "qtdemux", "pngenc", "pngdec"}))
    return 77;
  Suite* suite = suite_create("scripts");
  TCase* tests = tcase_create("scripts");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, test_record_overlay_and_mask_leaves_both_in_step);
  tcase_add_test(tests, test_video_file_leaves_a_film);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
