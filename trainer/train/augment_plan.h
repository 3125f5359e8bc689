// SPDX-License-Identifier: MIT
// What happens to each sample of a batch, drawn as numbers: a function of (seed, epoch, sample).
#pragma once

#include <array>
#include <cstdint>

namespace unetseg::trainer {

// Probabilities and magnitudes; the magnitudes are those of the project's recipe.
struct AugmentationPolicy {
  double turn_and_mirror = 1;  // one of the square's 8 symmetries
  double rotate = 0.5;         // any angle
  double scale = 0.5;          // area side x log-uniform (0.7, 1.4)
  double aspect = 0.5;         // view's width / height x log-uniform (0.75, 1.33)
  double shift = 0.5;          // within 10 % of the view
  double shear = 0.2;          // within 10 degrees
  double close_up = 0.2;       // a window of 50 to 100 % of the area
  double black_border = 0.5;   // outside the picture is black; otherwise mirrored
  double brightness = 0.5, contrast = 0.5, saturation = 0.5;  // x uniform (0.75, 1.25) each
  double hue = 0.3;                                           // within 5 % of a turn
  double grey = 0.05;
  double illuminant = 0.3;  // each channel x uniform (0.85, 1.15)
  double gamma = 0.3;       // exponent uniform (0.7, 1.5)
  double blur = 0.15;       // Gaussian, sigma 0.5 to 1 pixel
  double noise = 0.1;       // standard deviation up to 0.03
  double rim = 0.1;         // a dermatoscope's round, black rim
  double no_lesion = 0.04;  // a window of skin without lesion, or an even frame
};

struct SamplePlan {
  // Rows of the affine map from output to input, both in -1..1 with the pixels' outer edges at the
  // ends (grid_sample's align_corners = false).
  std::array<float, 6> warp{1, 0, 0, 0, 1, 0};
  bool black_border = false;
  std::array<float, 9> colour{1, 0, 0, 0, 1, 0, 0, 0, 1};  // applied to RGB column vectors
  float contrast = 1;                                      // about the picture's mean
  float gamma = 1;
  float blur_sigma = 0;       // pixels of the output
  float noise_deviation = 0;  // of values 0..1
  float rim_radius = 10;      // in half heights from the centre; 10 is outside any picture
  float keep = 1;             // 0: the picture is replaced by `even`
  std::array<float, 3> even{0, 0, 0};
};

// A sample's mask as the plan needs it, to find lesion-free windows: coverage 0..255, row-major.
struct MaskView {
  const std::uint8_t* pixels;
  int width, height;
};

// `aspect`: width / height of the scene before it was squashed to the network's input; geometry is
// done in unsquashed coordinates.
SamplePlan draw_plan(const AugmentationPolicy& policy, std::uint64_t seed, std::uint64_t epoch,
                     std::uint64_t sample, double aspect, const MaskView& mask);

}  // namespace unetseg::trainer
