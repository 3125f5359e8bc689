// SPDX-License-Identifier: MIT
// What the tracker needs of a sampled frame: its detail, at several resolutions.
#pragma once

#include <cstddef>
#include <vector>

#include "model/frame/sampler.h"
#include "model/motion/similarity.h"

namespace unetseg {

// One resolution, row-major. The logarithm of grey makes a change of exposure an offset, and taking
// away the mean of each pixel's surroundings removes it, as it does the light's fall-off.
struct Level {
  int width = 0, height = 0;
  double step_x = 0, step_y = 0;  // of one pixel, in widths and heights of the sample
  std::vector<float> seen;        // 1 where the scene is to be seen; 0 in the black rim of the view
  std::vector<float> detail;      // log grey less its surroundings; 0 where nothing is seen
  std::vector<float> dx, dy;      // its slope, per pixel; 0 next to what is not seen
  std::vector<float>
      whole;  // 1 where this pixel, those to its right and below, and both's are seen

  std::size_t pixels() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  }
  std::size_t at(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
           static_cast<std::size_t>(x);
  }
};

// Memory is kept: after the constructor nothing is allocated. One thread.
class Picture {
 public:
  // Of the sample, pixels.
  Picture(int width, int height);

  // From 3 x height x width floats, as a Sampler writes them. `extent` is the shape of what they
  // show.
  void take(const float* planar_rgb, const Normalisation& normalisation, const Extent& extent);

  // Finest first, each half of the one before. None where the sample is too small to be tracked.
  const std::vector<Level>& levels() const { return levels_; }
  const Extent& extent() const { return extent_; }
  // Root mean square of the finest level's detail where something is seen: about the picture's
  // contrast from place to place. A just visible texture has 0.01.
  double contrast() const { return contrast_; }

 private:
  void shrink_sample(const float* planar_rgb, const Normalisation& normalisation);
  void find_rim();
  void erode(Level& level, int spare, bool at_edge);
  void shrink(std::size_t index);
  void take_detail(std::size_t index);

  int width_, height_, factor_;  // pixels of the sample for one of the finest level, each way
  std::vector<Level> levels_;
  std::vector<std::vector<float>> grey_;  // for each level; its logarithm, once the rim is found
  std::vector<float> row_, eroded_;
  std::vector<double> sums_, counts_;  // over all that is above and to the left
  Extent extent_;
  double contrast_ = 0;
};

}  // namespace unetseg
