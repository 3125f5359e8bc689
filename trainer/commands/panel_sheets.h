// SPDX-License-Identifier: MIT
// Panels that own what they show, and the sheets that `evaluate` writes of them.
#pragma once

#include <string>
#include <vector>

#include "model/mask/mask.h"
#include "trainer/data/image_files.h"
#include "trainer/report/score.h"

namespace unetseg::trainer {

struct OwnedPanel {
  std::string caption;
  Image image;  // RGB
  std::vector<std::uint8_t> truth;
  std::vector<float> probabilities;
};

// "ISIC_0000001  Dice 0.912".
std::string panel_caption(const ImageScore& score);

// A whole picture with its truth (one channel, 0 or 255) and its map, stretched to width x height.
OwnedPanel make_panel(std::string caption, const Image& image, const Image& truth,
                      const ProbabilityView& map, int width, int height);

// One panel below the other, a PNG. Throws Error(write).
void write_sheet(const std::string& path, const std::vector<OwnedPanel>& panels, double threshold);

class WorstPanels {
 public:
  static constexpr std::size_t kWorst = 16;

  // Whether a panel with this Dice would be among those that are kept.
  bool wants(double dice) const { return panels_.size() < kWorst || dice < panels_.back().dice; }
  void add(double dice, OwnedPanel panel);

  // Those with the 16 lowest Dice, the lowest first, as worst-01.png and worst-09.png, in a folder
  // that is there. Throws Error(write).
  void write(const std::string& folder, double threshold);

 private:
  struct Scored {
    double dice;
    OwnedPanel panel;
  };
  std::vector<Scored> panels_;  // ordered, kWorst at most
};

}  // namespace unetseg::trainer
