// SPDX-License-Identifier: MIT
// Scenes in a build without OpenCV: it says so.
#include "model/error.h"
#include "trainer/synthesize/lesion_scene.h"

namespace unetseg::trainer {

struct LesionScene::Painting {};

void check_scene(const SceneOptions&) {
  throw Error(Fault::settings,
              "this build cannot paint pictures: build with OpenCV's imgcodecs and libjpeg");
}

LesionScene::LesionScene(const SceneOptions& options) {
  check_scene(options);
}

LesionScene::~LesionScene() = default;

SceneFrame LesionScene::still() const {
  return {};
}

SceneFrame LesionScene::frame(int) const {
  return {};
}

}  // namespace unetseg::trainer
