// SPDX-License-Identifier: MIT
#include "trainer/synthesize/lesion_scene.h"

#include <opencv2/imgproc.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "trainer/synthesize/camera.h"
#include "trainer/synthesize/hair.h"
#include "trainer/synthesize/lesion.h"
#include "trainer/synthesize/skin.h"

namespace unetseg::trainer {
namespace {

constexpr int kSmallest = 16, kLargest = 4096;

Canvas frame_canvas(const SceneOptions& options) {
  check_scene(options);
  return {options.width, options.height, 0.5 * std::min(options.width, options.height)};
}

// Large enough for every pose. Both canvases have pixel centres in the same places, so a still is
// the same with and without the surroundings.
Canvas painted_canvas(const Canvas& frame, bool moving) {
  if (!moving) return frame;
  const double x = -frame.x(0), y = -frame.y(0);
  const double wide = (x + y * kLargestTurn) / kSmallestZoom + kLargestShift;
  const double high = (y + x * kLargestTurn) / kSmallestZoom + kLargestShift;
  const auto margin = [&](double larger, double own) {
    return static_cast<int>(std::ceil((larger - own) * frame.unit)) + 1;
  };
  return {frame.width + 2 * margin(wide, x), frame.height + 2 * margin(high, y), frame.unit};
}

Image to_image(const cv::Mat& mat) {
  return {mat.cols, mat.rows, mat.channels(), {mat.datastart, mat.dataend}};
}

}  // namespace

void check_scene(const SceneOptions& options) {
  if (std::min(options.width, options.height) < kSmallest ||
      std::max(options.width, options.height) > kLargest)
    throw Error(Fault::settings, fmt::format("a scene cannot be {}x{}: both sides must be {} to {}",
                                             options.width, options.height, kSmallest, kLargest));
}

struct LesionScene::Painting {
  explicit Painting(const SceneOptions& options)
      : seed(options.seed),
        frame(frame_canvas(options)),
        canvas(painted_canvas(frame, options.moving)),
        lesion(paint(options)),
        optics(frame, lesion.reach + (options.moving ? kLargestShift : 0), options.seed) {}

  Lesion paint(const SceneOptions& options) {
    const double aspect = static_cast<double>(std::max(options.width, options.height)) /
                          std::min(options.width, options.height);
    Pigments pigments = paint_skin(canvas, seed);
    Lesion painted = paint_lesion(canvas, aspect, seed, &pigments);
    picture = develop(draw_tone(seed), pigments, painted.veil);
    paint_hair(canvas, seed, &picture);
    return painted;
  }

  SceneFrame view(const Pose& pose, int number) const {
    // From the frame's pixels to the canvas': turned, scaled and shifted about the centres.
    const double c = std::cos(pose.turn) / pose.zoom, s = std::sin(pose.turn) / pose.zoom;
    const double fx = frame.column(0), fy = frame.row(0);
    const cv::Matx23d map(c, -s, canvas.column(pose.x) - c * fx + s * fy,  //
                          s, c, canvas.row(pose.y) - s * fx - c * fy);
    cv::Mat seen, field;
    cv::warpAffine(picture, seen, map, frame.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_REFLECT_101);
    cv::warpAffine(lesion.field, field, map, frame.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                   cv::BORDER_REFLECT_101);
    optics.apply(pose.defocus, number, &seen);
    return {to_image(seen), to_image(field >= 0)};
  }

  std::uint64_t seed;
  Canvas frame, canvas;
  cv::Mat picture;  // CV_8UC3, of `canvas`; set by `paint`
  Lesion lesion;
  Optics optics;
};

LesionScene::LesionScene(const SceneOptions& options)
    : painting_(std::make_unique<Painting>(options)) {}

LesionScene::~LesionScene() = default;

SceneFrame LesionScene::still() const {
  return painting_->view({}, 0);
}

SceneFrame LesionScene::frame(int number) const {
  const double seconds = static_cast<double>(number) / kFramesPerSecond;
  return painting_->view(pose_at(painting_->seed, seconds), number);
}

}  // namespace unetseg::trainer
