// SPDX-License-Identifier: MIT
// A camera held by hand, at 30 frames a second, and a network that keeps up with 5: how good the
// masks are that frames show, against the exact ones. Prints the figures.
//
//   test_hand_held_clip MODEL SLOW-MODEL INTERVAL LEVEL SEED [FOLDER]
//
// MODEL is the element's model-file where each frame gets its own mask, whose mean Dice must be
// LEVEL; SLOW-MODEL and INTERVAL are its model-file and inference-interval in latest mode. A FOLDER
// receives every 10th frame with its masks: the exact one in white, compensated in green, held
// still in red.
#include <opencv2/imgproc.hpp>

#include <cmath>

#include "trainer/synthesize/lesion_scene.h"

#include "tests/plugin/bench.h"

using unetseg::trainer::Image;
using unetseg::trainer::LesionScene;
using unetseg::trainer::SceneFrame;
using unetseg::trainer::SceneOptions;

namespace {

constexpr int kWidth = 320, kHeight = 240;
constexpr int kFrames = 120;
constexpr int kFirst = 20;  // frames before this one may have no mask yet
constexpr gint64 kPace = G_USEC_PER_SEC / LesionScene::kFramesPerSecond;
constexpr double kMostLoss = 0.03;
constexpr double kLeastGain = 0.005;  // of compensation

struct Arguments {
  std::string model, slow_model, interval, folder;
  double level;
  guint64 seed;
} arguments;

std::vector<SceneFrame> clip() {
  SceneOptions options;
  options.width = kWidth;
  options.height = kHeight;
  options.seed = arguments.seed;
  options.moving = true;
  const LesionScene scene(options);
  std::vector<SceneFrame> frames;
  for (int i = 0; i < kFrames; ++i) frames.push_back(scene.frame(i));
  return frames;
}

// The mask of each frame.
using Masks = std::vector<std::vector<guint8>>;

Masks play(const std::vector<SceneFrame>& frames, const Properties& properties, gint64 pace) {
  Bench bench(properties);
  ck_assert(bench.send_caps(caps_of("RGB", kWidth, kHeight)));
  Masks masks;
  gint64 due = g_get_monotonic_time();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    // A machine that is late goes on from there: a camera's frames do not come in bursts.
    const gint64 now = g_get_monotonic_time();
    if (due > now) g_usleep(static_cast<gulong>(due - now));
    due = std::max(due, now) + pace;
    BufferPtr buffer =
        bytes_buffer(frames[i].picture.pixels.size(), 0,
                     gst_util_uint64_scale(i, GST_SECOND, LesionScene::kFramesPerSecond));
    gst_buffer_fill(buffer.get(), 0, frames[i].picture.pixels.data(),
                    frames[i].picture.pixels.size());
    ck_assert_int_eq(bench.push(std::move(buffer)), GST_FLOW_OK);
    masks.push_back(bytes_of(bench.pull().get()));
  }
  g_print("  %" G_GUINT64_FORMAT " of %d frames inferred\n", bench.stat("inferred"), kFrames);
  ck_assert_uint_eq(bench.stat("scene-cuts"), 0);
  return masks;
}

double dice(const std::vector<guint8>& mask, const Image& exact) {
  double both = 0, sum = 0;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    both += mask[i] != 0 && exact.pixels[i] != 0;
    sum += (mask[i] != 0) + (exact.pixels[i] != 0);
  }
  return sum > 0 ? 2 * both / sum : 1;
}

double mean_dice(const Masks& masks, const std::vector<SceneFrame>& frames) {
  double sum = 0;
  for (std::size_t i = kFirst; i < frames.size(); ++i) sum += dice(masks[i], frames[i].mask);
  return sum / static_cast<double>(frames.size() - kFirst);
}

void outline(const guint8* mask, const cv::Scalar& colour, cv::Mat* picture) {
  const cv::Mat view(kHeight, kWidth, CV_8U, const_cast<guint8*>(mask));
  std::vector<std::vector<cv::Point>> lines;
  cv::findContours(view.clone(), lines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  cv::drawContours(*picture, lines, -1, colour, 1);
}

void write_panel(const std::vector<SceneFrame>& frames, const Masks& moved, const Masks& held) {
  for (std::size_t i = kFirst; i < frames.size(); i += 10) {
    Image panel = frames[i].picture;
    cv::Mat view(kHeight, kWidth, CV_8UC3, panel.pixels.data());
    outline(frames[i].mask.pixels.data(), {255, 255, 255}, &view);
    outline(held[i].data(), {255, 0, 0}, &view);
    outline(moved[i].data(), {0, 255, 0}, &view);
    unetseg::trainer::write_image(arguments.folder + "/frame-" + std::to_string(i) + ".png", panel);
  }
}

}  // namespace

START_TEST(test_held_masks_are_nearly_as_good_as_own_ones) {
  const std::vector<SceneFrame> frames = clip();
  const Masks own = play(
      frames, {{"output", "mask"}, {"model-file", arguments.model}, {"mode", "every-frame"}}, 0);
  const auto play_latest = [&](const char* compensation) {
    return play(frames,
                {{"output", "mask"},
                 {"model-file", arguments.slow_model},
                 {"mode", "latest"},
                 {"max-mask-age", "0"},
                 {"inference-interval", arguments.interval},
                 {"motion-compensation", compensation}},
                kPace);
  };
  const Masks moved_masks = play_latest("true"), held_masks = play_latest("false");
  const double each = mean_dice(own, frames), moved = mean_dice(moved_masks, frames),
               still = mean_dice(held_masks, frames);
  g_print("mean Dice: %.4f each frame's own, %.4f compensated, %.4f held still\n", each, moved,
          still);
  if (!arguments.folder.empty()) write_panel(frames, moved_masks, held_masks);
  ck_assert(each > arguments.level);
  ck_assert(moved > each - kMostLoss);
  ck_assert(still < moved - kLeastGain);
}
END_TEST

int main(int argc, char** argv) {
  if (argc < 6) return 2;
  arguments = {argv[1],
               argv[2],
               argv[3],
               argc > 6 ? argv[6] : "",
               g_ascii_strtod(argv[4], nullptr),
               g_ascii_strtoull(argv[5], nullptr, 10)};
  gst_check_init(&argc, &argv);
  Suite* suite = suite_create("hand-held clip");
  TCase* tests = tcase_create("hand-held clip");
  tcase_set_timeout(tests, 110);
  tcase_add_test(tests, test_held_masks_are_nearly_as_good_as_own_ones);
  suite_add_tcase(suite, tests);
  return run_suite(suite);
}
