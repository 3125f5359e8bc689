// SPDX-License-Identifier: MIT
// What happens to each sample of a batch, drawn as numbers: a function of (seed, epoch, sample).
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace unetseg::trainer {

// Layers in the bank of artefacts (artefacts.h) that plans choose from.
constexpr int kArtefactLayers = 256;

// From `low` to `high`.
struct Range {
  double low, high;
};

// How often each change happens, and how far it goes.
struct AugmentationPolicy {
  double turn_and_mirror = 1;  // one of the square's 8 symmetries
  double rotate = 0.5;         // any angle
  double scale = 0.5;
  Range scale_by = {0.7, 1.4};  // enlargement, log-uniform
  double aspect = 0.5;
  Range aspect_by = {0.45, 2.2};  // the view's width / height, log-uniform
  double shift = 0.5;             // within 10 % of the view
  double shear = 0.2;             // within 10 degrees
  double close_up = 0.2;          // a window of 50 to 100 % of the area
  double black_border = 0.5;      // outside the picture is black; otherwise mirrored
  double artefacts = 0.3;         // hairs, ruler, pen marks, bubbles, sticker, drape, flush
  double brightness = 0.5, saturation = 0.5;
  Range brightness_by = {0.75, 1.25}, saturation_by = {0.75, 1.25};
  double contrast = 0.5;
  Range contrast_by = {0.35, 1.3};  // low: pale lesions are the hard ones
  double hue = 0.3;
  double hue_within = 0.05;  // of a turn
  double grey = 0.1;
  double illuminant = 0.3;
  Range illuminant_by = {0.85, 1.15};  // each channel
  double gamma = 0.3;
  Range gamma_by = {0.7, 1.5};  // exponent
  double blur = 0.15;
  Range blur_by = {0.5, 1};  // Gaussian's sigma, pixels
  double low_resolution = 0.15;
  Range low_resolution_by = {0.5, 1};
  double noise = 0.1;
  double noise_up_to = 0.03;  // standard deviation
  double jpeg = 0.2;
  Range jpeg_quality = {50, 95};
  double rim = 0.1;  // a dermatoscope's round, black rim
  double no_lesion = 0.25;
  double bare_skin = 0.6, erased = 0.2;  // of those; the rest shows no skin at all
};

// "light" (symmetries and faint colour changes), "default" or "strong". Throws Error(settings).
AugmentationPolicy augmentation_policy(const std::string& name);

struct SamplePlan {
  // Rows of the affine map from output to input, both in -1..1 with the pixels' outer edges at the
  // ends (grid_sample's align_corners = false).
  std::array<float, 6> warp{1, 0, 0, 0, 1, 0};
  bool black_border = false;
  std::array<float, 9> colour{1, 0, 0, 0, 1, 0, 0, 0, 1};  // applied to RGB column vectors
  float contrast = 1;                                      // about the picture's mean
  float gamma = 1;
  int artefacts = -1;               // layer of the bank; -1: none
  unsigned artefacts_side = 0;      // bit 0: mirrored left to right, bit 1: top to bottom
  float blur_sigma = 0;             // pixels of the output
  float resolution = 1;             // share of the output's, before it is enlarged again
  float jpeg_quality = 0;           // 1..100; 0: not compressed
  float noise_deviation = 0;        // of values 0..1
  float noise_grain = 1;            // pixels; below 1 as 1
  float rim_radius = 10;            // in half heights from the centre; 10 is outside any picture
  bool erase = false;               // the lesion is filled with skin
  float keep = 1;                   // 0: the picture is replaced by `scenery`
  std::array<float, 12> scenery{};  // RGB of the four corners, row by row, blended over the frame
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
