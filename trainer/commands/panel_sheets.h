// SPDX-License-Identifier: MIT
// Panels that own what they show, and the sheets that `evaluate` writes of them.
#pragma once

#include <string>
#include <vector>

#include "model/mask/mask.h"
#include "trainer/data/image_files.h"

namespace unetseg::trainer {

struct OwnedPanel {
  std::string caption;
  Image image;  // RGB
  std::vector<std::uint8_t> truth;
  std::vector<float> probabilities;
};

// A whole picture with its truth (one channel, 0 or 255) and its map, stretched to width x height.
OwnedPanel make_panel(std::string caption, const Image& image, const Image& truth,
                      const ProbabilityView& map, int width, int height);

// One panel below the other, a PNG. Throws Error(write).
void write_sheet(const std::string& path, const std::vector<OwnedPanel>& panels, double threshold);

class WorstPanels {
 public:
  void add(double dice, OwnedPanel panel) { panels_.push_back({dice, std::move(panel)}); }

  // Those with the 16 lowest Dice as worst-01.png and worst-09.png, in a folder that is made.
  // Throws Error(write).
  void write(const std::string& folder, double threshold);

 private:
  struct Scored {
    double dice;
    OwnedPanel panel;
  };
  std::vector<Scored> panels_;
};

}  // namespace unetseg::trainer
