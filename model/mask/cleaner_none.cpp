// SPDX-License-Identifier: MIT
// Clean-up in a build without OpenCV: none of regions, and asking for it is an error instead of a
// wrong mask.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/error.h"
#include "model/mask/expected_dice.h"
#include "model/mask/mask.h"

namespace unetseg {

struct Cleaner::Scratch {};
Cleaner::Cleaner() = default;
Cleaner::~Cleaner() = default;

void Cleaner::clean(float* probabilities, int width, int height, double threshold,
                    const CleanUp& how) {
  if (how.largest_only || how.fill_holes || how.min_area > 0)
    throw Error(Fault::settings,
                "This build has no OpenCV and cannot clean masks up; switch largest-only, "
                "fill-holes and min-area off, or build with OpenCV.");
  if (!how.asks_for_anything()) return;
  const float level = reaching_level(threshold);
  const float below = std::nextafter(level, -std::numeric_limits<float>::infinity());
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  const auto in_mask = [&](std::size_t i) { return probabilities[i] >= level; };
  if (expected_dice(probabilities, pixels, in_mask) >= how.min_confidence) return;
  for (std::size_t i = 0; i < pixels; ++i) probabilities[i] = std::min(probabilities[i], below);
}

}  // namespace unetseg
