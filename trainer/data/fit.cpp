// SPDX-License-Identifier: MIT
#include "trainer/data/fit.h"

#include <fmt/format.h>

#include <algorithm>

namespace unetseg::trainer {
namespace {

constexpr double kTolerance = 1.02;

double image_aspect(const PairSize& size) {
  return static_cast<double>(size.image_width) / size.image_height;
}

double mask_aspect(const PairSize& size) {
  return static_cast<double>(size.mask_width) / size.mask_height;
}

}  // namespace

bool same_aspect(const PairSize& size) {
  const double ratio = image_aspect(size) / mask_aspect(size);
  return ratio <= kTolerance && ratio >= 1 / kTolerance;
}

SetFit::SetFit(const std::vector<PairSize>& sizes) {
  if (sizes.empty()) return;
  first_ = sizes.front();
  double narrowest = mask_aspect(first_), widest = narrowest;
  for (const PairSize& size : sizes) {
    one_image_size_ = one_image_size_ && size.image_width == first_.image_width &&
                      size.image_height == first_.image_height;
    narrowest = std::min(narrowest, mask_aspect(size));
    widest = std::max(widest, mask_aspect(size));
    disagree_ += !same_aspect(size);
  }
  squashed_ = one_image_size_ && widest > narrowest * kTolerance && 2 * disagree_ > sizes.size();
}

double SetFit::aspect(const PairSize& size) const {
  return one_image_size_ && !same_aspect(size) ? mask_aspect(size) : image_aspect(size);
}

std::string SetFit::describe() const {
  if (squashed_)
    return fmt::format(
        "all images were squashed to {}x{}: each mask is stretched onto its image and gives its "
        "proportions",
        first_.image_width, first_.image_height);
  return "masks of other proportions than their images are stretched onto them, as asked";
}

}  // namespace unetseg::trainer
