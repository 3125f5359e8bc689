// SPDX-License-Identifier: MIT
// `camerabin viewfinder-filter=unetseg`, as camera applications have it: the viewfinder shows the
// lesion, pictures and recordings are the camera's own. Exits with 77 where GStreamer lacks an
// element.
#include <gst/app/app.h>

#include "tests/pipelines/needs.h"
#include "tests/pipelines/pipeline.h"
#include "tests/temporary_folder.h"

namespace {

enum Mode { kImage = 1, kVideo = 2 };  // camerabin's GstCameraBin2Mode

class Camera {
 public:
  explicit Camera(const std::string& unetseg)
      : pipeline_("camerabin name=camera viewfinder-filter=\"" + unetseg +
                  "\""
                  " viewfinder-sink=\"fakesink name=finder sync=true\""
                  " viewfinder-caps=video/x-raw,width=64,height=48"
                  " image-capture-caps=video/x-raw,width=64,height=48"
                  " video-capture-caps=video/x-raw,width=64,height=48"
                  " video-profile=video/x-matroska:image/jpeg"
                  " camera-source=\"wrappercamerabinsrc video-source=\\\"videotestsrc is-live=true"
                  " pattern=red\\\"\"") {}
  Pipeline& pipeline() { return pipeline_; }

  void start(Mode mode, const std::string& file) {
    g_object_set(pipeline_.get(), "mode", mode, "location", file.c_str(), nullptr);
    g_signal_emit_by_name(pipeline_.get(), "start-capture");
  }
  void stop() { g_signal_emit_by_name(pipeline_.get(), "stop-capture"); }

 private:
  Pipeline pipeline_;
};

// Of a file that was recorded. Fails where it cannot be played, or shows anything but the red that
// the camera gave.
int red_frames_of(const std::string& file) {
  Pipeline pipeline("filesrc location=" + file +
                    " ! decodebin ! videoconvert ! video/x-raw,format=RGB ! appsink name=out");
  pipeline.set(GST_STATE_PLAYING);
  int frames = 0;
  while (GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(pipeline.element("out")))) {
    guint8 pixel[3];  // in the middle
    gst_buffer_extract(gst_sample_get_buffer(sample), 3 * (64 * 24 + 32), pixel, sizeof pixel);
    gst_sample_unref(sample);
    ck_assert_msg(pixel[0] > 215 && pixel[1] < 40 && pixel[2] < 40, "%s: %d %d %d", file.c_str(),
                  pixel[0], pixel[1], pixel[2]);
    ++frames;
  }
  pipeline.take_messages();
  return frames;
}

}  // namespace

START_TEST(test_the_viewfinder_shows_masks_before_while_and_after_capturing) {
  const TemporaryFolder folder;
  Camera camera("unetseg name=net model-file=fake:size=64x48,delay-ms=50");
  Pipeline& pipeline = camera.pipeline();
  pipeline.set(GST_STATE_PLAYING);
  const Counter seen(pipeline.pad("finder", "sink"));
  seen.wait_for_lesions(pipeline, 10);
  ck_assert_int_eq(static_cast<int>(seen.area()), 64 * 48);

  const std::string picture = folder.path() + "/picture.jpg";
  camera.start(kImage, picture);
  pipeline.wait_for_named("image-done");
  ck_assert_int_eq(red_frames_of(picture), 1);
  seen.wait_for_lesions(pipeline, 10);

  const std::string film = folder.path() + "/film.mkv";
  camera.start(kVideo, film);
  seen.wait_for_lesions(pipeline, 20);
  camera.stop();
  pipeline.wait_for_named("video-done");
  ck_assert_int_gt(red_frames_of(film), 5);
  seen.wait_for_lesions(pipeline, 10);
  ck_assert_uint_gt(stat_of(pipeline.element("net"), "held"), 0);  // no frame waited for its mask
}
END_TEST

int main(int argc, char** argv) {
  gst_check_init(&argc, &argv);
  if (!has_elements({"camerabin", "wrappercamerabinsrc", "jpegenc", "jpegdec", "jifmux",
                     "matroskamux", "matroskademux"}))
    return 77;
  Suite* suite = suite_create("camerabin");
  TCase* tests = tcase_create("camerabin");
  tcase_add_test(tests, test_the_viewfinder_shows_masks_before_while_and_after_capturing);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
