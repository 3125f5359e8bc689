// SPDX-License-Identifier: MIT
// Estimates how a picture moved.
#pragma once

#include <vector>

#include "model/motion/picture.h"
#include "model/motion/similarity.h"

namespace unetseg {

// What became of the picture from one frame to another.
struct Movement {
  Similarity motion;
  double confidence = 0;     // 0..1; 0 where `motion` is the guess
  bool other_scene = false;  // both frames have something to see, and it is not the same
};

// Coarse to fine. The coarsest level is searched for the shift of the highest normalised
// correlation; where what is fixed to the camera (a rim, its light, a bubble in the gel) makes
// phase correlation (Kuglin & Hines, "The phase correlation image alignment method", Proc. IEEE
// Conf. on Cybernetics and Society, 1975) answer "not at all", this one is not misled, since rim
// and light are not part of a Picture. The search is left out where the guess fits. From there the
// inverse compositional algorithm (Baker & Matthews, "Lucas-Kanade 20 years on", IJCV 56, 2004)
// goes on to a similarity, with Geman-McClure weights against glare, hairs and whatever else goes
// its own way, and with a gain for contrast that changes.
//
// The confidence comes of the normalised correlation of what both show once they are aligned. It is
// 0 where the frames share less than a third of their area, where there is nothing to see, where
// the samples are too small, and where the motion is none that a hand makes between two frames.
//
// Object holds scratch memory: after the constructor nothing is allocated. One thread.
class Tracker {
 public:
  // Pictures are of this size of sample, pixels.
  Tracker(int width, int height);

  // Both of the same extent. `guess` is where the search may also start: the last movement.
  Movement track(const Picture& from, const Picture& to, const Similarity& guess);

 private:
  struct Shift {
    int x, y;
  };
  static constexpr int kCandidates = 2;
  int search(const Level& from, const Level& to, Shift* best);

  std::vector<float> scores_;
};

}  // namespace unetseg
