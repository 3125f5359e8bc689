// SPDX-License-Identifier: MIT
// Pictures in a build without OpenCV's image files: none are drawn, and nobody has to ask first.
#include "trainer/report/pictures.h"

namespace unetseg::trainer {

void write_curves(const std::string&, const std::string&, const std::string&,
                  const std::vector<Series>&) {}

void write_panel(const std::string&, const std::vector<PanelRow>&, double) {}

void write_gallery(const std::string&, int, int, const std::vector<GalleryPicture>&) {}

bool has_pictures() {
  return false;
}

}  // namespace unetseg::trainer
