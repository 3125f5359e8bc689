// SPDX-License-Identifier: MIT
// The pictures a run leaves behind: curves and panels. Where the build has no OpenCV these do
// nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg::trainer {

struct Series {
  std::string label;
  std::vector<double> x, y;  // NaN leaves a gap
  bool right_axis = false;   // scores (0..1) on the right, losses on the left
};

// A PNG with axes, ticks, legend and two y axes. Written atomically. Throws Error(write).
void write_curves(const std::string& path, const std::string& title, const std::string& x_label,
                  const std::vector<Series>& series);

// One row of a panel: image, truth, prediction, each at the image's size; drawn side by side with
// the truth's and the prediction's contours and the caption.
struct PanelRow {
  std::string caption;  // "ISIC_0000001  Dice 0.912"
  int width = 0, height = 0;
  const std::uint8_t* image = nullptr;   // height x width x 3, RGB
  const std::uint8_t* truth = nullptr;   // height x width, 0..255
  const float* probabilities = nullptr;  // height x width, 0..1
};
void write_panel(const std::string& path, const std::vector<PanelRow>& rows, double threshold);

// Pictures side by side in a square, each with its truth's contour; all of one size.
struct GalleryPicture {
  const std::uint8_t* image = nullptr;  // height x width x 3, RGB
  const std::uint8_t* truth = nullptr;  // height x width, 0..255
};
void write_gallery(const std::string& path, int width, int height,
                   const std::vector<GalleryPicture>& pictures);

// True where this build can read and write image files.
bool has_pictures();

}  // namespace unetseg::trainer
