// SPDX-License-Identifier: MIT
// A synthetic dermatoscope scene: a lesion on skin under hairs, with its exact mask.
#pragma once

#include <cstdint>
#include <memory>

#include "trainer/data/image_files.h"

namespace unetseg::trainer {

struct SceneOptions {
  int width = 640, height = 480;  // of each frame, 16..4096
  std::uint64_t seed = 0;         // decides everything that is to be seen
  bool moving = false;            // paint what lies beyond the still frame, too: for `frame`
};

// Throws Error(settings) where the size is out of range.
void check_scene(const SceneOptions& options);

struct SceneFrame {
  Image picture;  // RGB
  Image mask;     // one channel, 255 on the lesion, hairs over it included, 0 elsewhere
};

// Painting takes most of the time, and happens once; frames are views of it. The same options give
// the same frames on every machine, up to the rounding of its mathematics. Frames may be asked for
// from several threads.
class LesionScene {
 public:
  // Throws as check_scene() does.
  explicit LesionScene(const SceneOptions& options);
  ~LesionScene();

  // Seen straight on, by a camera at rest.
  SceneFrame still() const;

  // Frame `number` of a film at `kFramesPerSecond`, held by hand. The mask moves with the picture.
  static constexpr int kFramesPerSecond = 30;
  SceneFrame frame(int number) const;

 private:
  struct Painting;
  std::unique_ptr<const Painting> painting_;
};

}  // namespace unetseg::trainer
