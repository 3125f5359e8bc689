// SPDX-License-Identifier: MIT
// Pictures of the images that were scored worst.
#pragma once

#include <string>
#include <vector>

#include "model/mask/mask.h"
#include "model/storage/model_card.h"
#include "trainer/data/image_files.h"

namespace unetseg::trainer {

class WorstPanels {
 public:
  // Whole pictures, stretched to the network's size.
  void add(const std::string& id, double dice, const Image& image, const Image& truth,
           const ProbabilityView& map, const ModelCard& card);

  // The worst 16 as worst-01.png and worst-09.png, in a folder that is made. Throws Error(write).
  void write(const std::string& folder, double threshold);

 private:
  struct Panel {
    double dice;
    std::string caption;
    Image image;
    std::vector<std::uint8_t> truth;
    std::vector<float> probabilities;
  };
  std::vector<Panel> panels_;
};

}  // namespace unetseg::trainer
