// SPDX-License-Identifier: MIT
// Whether images and masks show the same scene where their proportions differ.
#pragma once

#include <string>
#include <vector>

namespace unetseg::trainer {

// In pixels.
struct PairSize {
  int image_width = 0, image_height = 0;
  int mask_width = 0, mask_height = 0;
};

// Within 2 %.
bool same_aspect(const PairSize& size);

// The judgement on a whole set. Images that were all squashed to one size, as small copies of
// ISIC are, have masks whose proportions vary: those are the scene's.
class SetFit {
 public:
  explicit SetFit(const std::vector<PairSize>& sizes);

  // All images are of one size, masks vary in proportions, and most pairs disagree. (Where few do,
  // it is these few masks that are wrong.)
  bool squashed() const { return squashed_; }

  // Width / height of the scene: the image's, or the mask's where they disagree and images are of
  // one size.
  double aspect(const PairSize& size) const;

  // One line for the user on pairs that are stretched.
  std::string describe() const;

  // Pairs of other proportions though the set was not squashed.
  std::size_t n_misfits() const { return squashed_ ? 0 : disagree_; }

 private:
  PairSize first_;
  bool one_image_size_ = true;
  bool squashed_ = false;
  std::size_t disagree_ = 0;
};

}  // namespace unetseg::trainer
