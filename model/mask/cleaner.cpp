// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include "model/error.h"
#include "model/mask/expected_dice.h"
#include "model/mask/mask.h"

namespace unetseg {

void Cleaner::drop_small_regions(int width, int height, const CleanUp& how) {
  regions_.find(mask_.data(), width, height, 1, Neighbourhood::edges_and_corners);
  const auto& regions = regions_.regions();
  const double smallest = how.min_area * static_cast<double>(mask_.size());
  // The first of the largest.
  const auto largest = std::max_element(
      regions.begin(), regions.end(), [](const auto& a, const auto& b) { return a.area < b.area; });
  regions_.write(mask_.data(), 0, [&](std::size_t i) {
    return regions[i].area < smallest || (how.largest_only && &regions[i] != &*largest);
  });
}

// Regions are joined at corners, so background is not: it does not leak through a diagonal.
void Cleaner::fill_holes(int width, int height) {
  regions_.find(mask_.data(), width, height, 0, Neighbourhood::edges);
  regions_.write(mask_.data(), 1,
                 [this](std::size_t i) { return !regions_.regions()[i].touches_border; });
}

void Cleaner::clean(float* probabilities, int width, int height, double threshold,
                    const CleanUp& how) {
  if (!how.asks_for_anything()) return;
  const float level = reaching_level(threshold);
  const float below = std::nextafter(level, -std::numeric_limits<float>::infinity());
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  try {
    mask_.resize(pixels);
    std::uint8_t* const mask = mask_.data();  // a byte might alias the vector's own pointer
    for (std::size_t i = 0; i < pixels; ++i) mask[i] = probabilities[i] >= level;
    if (how.largest_only || how.min_area > 0) drop_small_regions(width, height, how);
    if (how.fill_holes) fill_holes(width, height);
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space, "There is not enough memory to clean up the mask.");
  }
  const std::uint8_t* const mask = mask_.data();
  const auto in_mask = [mask](std::size_t i) { return mask[i] != 0; };
  if (how.min_confidence > 0 && expected_dice(probabilities, pixels, in_mask) < how.min_confidence)
    std::fill(mask_.begin(), mask_.end(), std::uint8_t{0});
  for (std::size_t i = 0; i < pixels; ++i)
    probabilities[i] =
        mask[i] != 0 ? std::max(probabilities[i], level) : std::min(probabilities[i], below);
}

}  // namespace unetseg
