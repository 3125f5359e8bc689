// SPDX-License-Identifier: MIT
#include "trainer/train/no_lesion.h"

#include <algorithm>
#include <cmath>

#include "trainer/train/linear.h"

namespace unetseg::trainer {
namespace {

// A box of the picture: its centre and half extents in -1..1.
struct Box {
  double x, y, half_x, half_y;
};

bool is_free_of_lesion(const MaskView& mask, const Box& box) {
  const auto pixel = [](double v, int size) {
    return std::clamp(static_cast<int>(std::floor((v + 1) / 2 * size)), 0, size - 1);
  };
  const int x0 = pixel(box.x - box.half_x, mask.width), x1 = pixel(box.x + box.half_x, mask.width);
  const int y0 = pixel(box.y - box.half_y, mask.height),
            y1 = pixel(box.y + box.half_y, mask.height);
  for (int row = y0; row <= y1; ++row) {
    const std::uint8_t* pixels = mask.pixels + static_cast<std::size_t>(row) * mask.width;
    std::uint8_t any = 0;
    for (int column = x0; column <= x1; ++column) any |= pixels[column];
    if (any != 0) return false;
  }
  return true;
}

// A window, turned in any way and rather large than small, that keeps away from the lesion: what
// lies next to its border is often pigment that the mask has left out. False where none was met.
bool draw_window(Random& random, double aspect, const MaskView& mask, SamplePlan* plan) {
  constexpr int kTries = 60;
  constexpr double kSmallest = 0.13;
  constexpr double kMargin = 0.04, kMarginOfWindow = 0.1;  // of the half extents
  constexpr double kEdge = 0.98;                           // pictures may have a faint frame
  const double largest = random.log_uniform(0.2, 0.9);
  for (int i = 0; i < kTries; ++i) {
    const double size = largest * std::pow(kSmallest / largest, static_cast<double>(i) / kTries);
    const double angle = random.chance(0.5) ? kTurn / 4 * static_cast<double>(random.below(4))
                                            : random.uniform(0, kTurn);
    const Linear mirror{random.chance(0.5) ? -1.0 : 1.0, 0, 0, 1};
    const double view = aspect * random.log_uniform(0.6, 1.6);
    const Linear warp = view_to_picture(aspect, view, 1 / size, rotation(angle) * mirror);
    Box box{0, 0, std::abs(warp.a) + std::abs(warp.b), std::abs(warp.c) + std::abs(warp.d)};
    if (box.half_x > kEdge || box.half_y > kEdge) continue;
    box.x = random.uniform(box.half_x - kEdge, kEdge - box.half_x);
    box.y = random.uniform(box.half_y - kEdge, kEdge - box.half_y);
    const double margin = 1 + kMarginOfWindow;
    if (!is_free_of_lesion(
            mask, {box.x, box.y, margin * box.half_x + kMargin, margin * box.half_y + kMargin}))
      continue;
    plan->warp = {static_cast<float>(warp.a), static_cast<float>(warp.b),
                  static_cast<float>(box.x),  static_cast<float>(warp.c),
                  static_cast<float>(warp.d), static_cast<float>(box.y)};
    return true;
  }
  return false;
}

// With more of it covered, what could be filled in is no skin.
bool shows_enough_skin(const MaskView& mask) {
  constexpr double kMostLesion = 0.4;
  double lesion = 0;
  const std::size_t pixels = static_cast<std::size_t>(mask.width) * mask.height;
  for (std::size_t i = 0; i < pixels; ++i) lesion += mask.pixels[i];
  return lesion <= kMostLesion * 255 * static_cast<double>(pixels);
}

// Colours from corner to corner, dark ones and all alike among them, and noise of any grain.
void draw_scenery(Random& random, SamplePlan* plan) {
  plan->keep = 0;
  if (random.chance(0.5)) {
    plan->noise_deviation = static_cast<float>(random.uniform(0.05, 0.5));
    plan->noise_grain = static_cast<float>(random.log_uniform(0.25, 16));
  }
  const bool dark = random.chance(0.3), uneven = random.chance(0.5);
  const auto draw_corner = [&](float* rgb) {
    const double light = dark ? random.uniform(0, 0.03) : random.uniform(0, 1);
    const bool skin = random.chance(0.5);  // its colours, or any
    rgb[0] = static_cast<float>(light);
    rgb[1] = static_cast<float>(light * (skin ? random.uniform(0.6, 1) : random.uniform(0.3, 2)));
    rgb[2] = static_cast<float>(light * (skin ? random.uniform(0.5, 1) : random.uniform(0.3, 2)));
  };
  draw_corner(plan->scenery.data());
  for (std::size_t corner = 1; corner < 4; ++corner) {
    float* rgb = plan->scenery.data() + 3 * corner;
    if (uneven)
      draw_corner(rgb);
    else
      std::copy_n(plan->scenery.data(), 3, rgb);
  }
}

}  // namespace

void draw_no_lesion(const AugmentationPolicy& policy, Random& random, double aspect,
                    const MaskView& mask, SamplePlan* plan) {
  constexpr double kOutOfFocus = 0.1;
  const double kind = random.uniform();
  const bool window = kind < policy.bare_skin && draw_window(random, aspect, mask, plan);
  plan->erase = !window && kind < policy.bare_skin + policy.erased && shows_enough_skin(mask);
  if (!window && !plan->erase) return draw_scenery(random, plan);
  if (random.chance(kOutOfFocus))
    plan->resolution = static_cast<float>(random.log_uniform(0.03, 0.3));
}

}  // namespace unetseg::trainer
