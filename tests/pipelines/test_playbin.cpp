// SPDX-License-Identifier: MIT
// `playbin video-filter=unetseg`, as players have it. Exits with 77 where GStreamer lacks an
// element.
#include <utility>
#include <vector>

#include "tests/pipelines/needs.h"
#include "tests/pipelines/pipeline.h"
#include "tests/temporary_folder.h"

namespace {

constexpr int kFrames = 60, kFramesASecond = 30;

std::string make_film(const TemporaryFolder& folder) {
  const std::string file = folder.path() + "/film.mkv";
  Pipeline pipeline("videotestsrc pattern=red num-buffers=" + std::to_string(kFrames) +
                    " ! video/x-raw,width=64,height=48,framerate=30/1 ! jpegenc ! matroskamux ! "
                    "filesink location=" +
                    file);
  pipeline.set(GST_STATE_PLAYING);
  pipeline.wait_for(GST_MESSAGE_EOS);
  return file;
}

// Of each mask: its frame's place in the film, counted from 0.
class Masks {
 public:
  explicit Masks(Pipeline& player) {
    player.on_result([this](const GstStructure* result) {
      guint64 time = 0;
      double area = 0;
      ck_assert(gst_structure_get(result, "stream-time", G_TYPE_UINT64, &time, "area",
                                  G_TYPE_DOUBLE, &area, nullptr));
      ck_assert_int_eq(static_cast<int>(area), 64 * 48);
      places_.push_back(
          static_cast<int>(gst_util_uint64_scale_round(time, kFramesASecond, GST_SECOND)));
    });
  }
  std::vector<int> take() { return std::exchange(places_, {}); }

 private:
  std::vector<int> places_;
};

void assert_from(const std::vector<int>& places, int first) {
  ck_assert_uint_eq(places.size(), static_cast<std::size_t>(kFrames - first));
  for (std::size_t i = 0; i < places.size(); ++i)
    ck_assert_int_eq(places[i], first + static_cast<int>(i));
}

void seek(Pipeline& player, double seconds) {
  ck_assert(gst_element_seek_simple(
      player.get(), GST_FORMAT_TIME,
      static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
      static_cast<gint64>(seconds * GST_SECOND)));
}

}  // namespace

START_TEST(test_a_film_is_segmented_to_its_end_and_again_after_a_seek) {
  const TemporaryFolder folder;
  Pipeline player("playbin uri=file://" + make_film(folder) +
                  " video-filter=\"unetseg model-file=fake:size=64x48 post-messages=true\""
                  " video-sink=\"fakesink\"");
  Masks masks(player);
  player.set(GST_STATE_PLAYING);
  player.wait_for(GST_MESSAGE_EOS);
  assert_from(masks.take(), 0);

  seek(player, 1);
  player.wait_for(GST_MESSAGE_EOS);
  assert_from(masks.take(), 30);

  player.reach(GST_STATE_PAUSED);
  seek(player, 0.5);
  player.reach(GST_STATE_PLAYING);
  player.wait_for(GST_MESSAGE_EOS);
  assert_from(masks.take(), 15);
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"playbin", "jpegenc", "jpegdec", "matroskamux", "matroskademux"})) return 77;
  Suite* suite = suite_create("playbin");
  TCase* tests = tcase_create("playbin");
  tcase_add_test(tests, test_a_film_is_segmented_to_its_end_and_again_after_a_seek);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
