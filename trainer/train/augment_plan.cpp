// SPDX-License-Identifier: MIT
#include "trainer/train/augment_plan.h"

#include <algorithm>
#include <cmath>

#include "model/error.h"
#include "trainer/train/linear.h"
#include "trainer/train/no_lesion.h"
#include "trainer/train/random.h"

namespace unetseg::trainer {
namespace {

double within(const Range& range, Random& random) {
  return random.uniform(range.low, range.high);
}

double log_within(const Range& range, Random& random) {
  return random.log_uniform(range.low, range.high);
}

using Colour = std::array<double, 9>;

Colour operator*(const Colour& l, const Colour& r) {
  Colour product{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) product[i * 3 + j] += l[i * 3 + k] * r[k * 3 + j];
  return product;
}

Colour diagonal(double r, double g, double b) {
  return {r, 0, 0, 0, g, 0, 0, 0, b};
}

// Moves towards (s < 1) or away from (s > 1) the BT.601 luma.
Colour saturation(double s) {
  const double luma[3] = {0.299, 0.587, 0.114};
  Colour m{};
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) m[i * 3 + j] = (1 - s) * luma[j] + (i == j ? s : 0);
  return m;
}

// Rotation by `turns` about the grey axis (Rodrigues' formula).
Colour hue(double turns) {
  const double c = std::cos(turns * kTurn), s = std::sin(turns * kTurn) / std::sqrt(3.0);
  const double k = (1 - c) / 3;
  return {c + k, k - s, k + s, k + s, c + k, k - s, k - s, k + s, c + k};
}

void draw_geometry(const AugmentationPolicy& policy, Random& random, double aspect,
                   SamplePlan* plan) {
  Linear map{1, 0, 0, 1};
  double view_aspect = aspect;
  if (random.chance(policy.turn_and_mirror)) {
    const std::uint64_t symmetry = random.below(8);
    if (symmetry & 1) map = map * Linear{-1, 0, 0, 1};
    if (symmetry & 2) map = map * Linear{1, 0, 0, -1};
    if (symmetry & 4) {
      map = map * Linear{0, 1, 1, 0};
      view_aspect = 1 / view_aspect;
    }
  }
  if (random.chance(policy.rotate)) {
    const double angle = random.uniform(-kTurn / 2, kTurn / 2);
    map = map * rotation(angle);
  }
  double zoom = 1;
  if (random.chance(policy.scale)) zoom *= log_within(policy.scale_by, random);
  if (random.chance(policy.close_up)) zoom /= std::sqrt(random.uniform(0.5, 1));
  if (random.chance(policy.aspect)) view_aspect *= log_within(policy.aspect_by, random);
  if (random.chance(policy.shear))
    map = map * Linear{1, std::tan(random.uniform(-10, 10) * kTurn / 360), 0, 1};
  double shift_x = 0, shift_y = 0;
  if (random.chance(policy.shift)) {
    shift_x = random.uniform(-0.2, 0.2);  // of the half extent: 10 % of the view
    shift_y = random.uniform(-0.2, 0.2);
  }
  const Linear warp = view_to_picture(aspect, view_aspect, zoom, map);
  plan->warp = {static_cast<float>(warp.a),  static_cast<float>(warp.b),
                static_cast<float>(shift_x), static_cast<float>(warp.c),
                static_cast<float>(warp.d),  static_cast<float>(shift_y)};
  plan->black_border = random.chance(policy.black_border);
  if (random.chance(policy.rim)) plan->rim_radius = static_cast<float>(random.uniform(0.8, 1.15));
}

void draw_colour(const AugmentationPolicy& policy, Random& random, SamplePlan* plan) {
  Colour colour = diagonal(1, 1, 1);
  if (random.chance(policy.brightness)) {
    const double gain = within(policy.brightness_by, random);
    colour = diagonal(gain, gain, gain) * colour;
  }
  if (random.chance(policy.saturation))
    colour = saturation(within(policy.saturation_by, random)) * colour;
  if (random.chance(policy.hue))
    colour = hue(random.uniform(-policy.hue_within, policy.hue_within)) * colour;
  if (random.chance(policy.illuminant)) {
    const double r = within(policy.illuminant_by, random), g = within(policy.illuminant_by, random);
    colour = diagonal(r, g, within(policy.illuminant_by, random)) * colour;
  }
  if (random.chance(policy.grey)) colour = saturation(0) * colour;
  std::transform(colour.begin(), colour.end(), plan->colour.begin(),
                 [](double v) { return static_cast<float>(v); });
  if (random.chance(policy.contrast))
    plan->contrast = static_cast<float>(within(policy.contrast_by, random));
  if (random.chance(policy.gamma))
    plan->gamma = static_cast<float>(log_within(policy.gamma_by, random));
}

// What optics, sensor and transport do, and what lies on the skin.
void draw_camera(const AugmentationPolicy& policy, Random& random, SamplePlan* plan) {
  if (random.chance(policy.artefacts)) {
    plan->artefacts = static_cast<int>(random.below(kArtefactLayers));
    plan->artefacts_side = static_cast<unsigned>(random.below(4));
  }
  if (random.chance(policy.blur))
    plan->blur_sigma = static_cast<float>(within(policy.blur_by, random));
  if (random.chance(policy.low_resolution))
    plan->resolution = static_cast<float>(within(policy.low_resolution_by, random));
  if (random.chance(policy.noise))
    plan->noise_deviation = static_cast<float>(random.uniform(0, policy.noise_up_to));
  if (random.chance(policy.jpeg))
    plan->jpeg_quality = static_cast<float>(within(policy.jpeg_quality, random));
}

}  // namespace

AugmentationPolicy augmentation_policy(const std::string& name) {
  AugmentationPolicy policy;
  if (name == "default") return policy;
  if (name == "light") {
    policy.rotate = policy.shear = policy.close_up = policy.artefacts = 0;
    policy.scale = policy.aspect = policy.shift = 0;
    policy.hue = policy.illuminant = policy.gamma = policy.grey = 0;
    policy.blur = policy.low_resolution = policy.noise = policy.jpeg = policy.rim = 0;
    policy.brightness_by = policy.saturation_by = policy.contrast_by = {0.9, 1.1};
    return policy;
  }
  if (name != "strong")
    throw Error(Fault::settings,
                "augmentation '" + name + "' is not known: use none, light, default or strong");
  policy.scale = policy.aspect = policy.shift = 0.7;
  policy.scale_by = {0.55, 1.7};
  policy.close_up = 0.3;
  policy.artefacts = 0.45;
  policy.brightness = policy.saturation = policy.contrast = 0.7;
  policy.brightness_by = policy.saturation_by = {0.6, 1.4};
  policy.contrast_by = {0.3, 1.4};
  policy.hue_within = 0.08;
  policy.illuminant = policy.gamma = 0.5;
  policy.illuminant_by = {0.75, 1.25};
  policy.gamma_by = {0.5, 2};
  policy.grey = 0.15;
  policy.blur = policy.low_resolution = policy.noise = policy.jpeg = 0.25;
  policy.blur_by = {0.5, 1.5};
  policy.low_resolution_by = {0.3, 1};
  policy.noise_up_to = 0.06;
  policy.jpeg_quality = {30, 95};
  policy.rim = 0.2;
  return policy;
}

SamplePlan draw_plan(const AugmentationPolicy& policy, std::uint64_t seed, std::uint64_t epoch,
                     std::uint64_t sample, double aspect, const MaskView& mask) {
  Random random(seed, Purpose::augmentation, {epoch, sample});
  SamplePlan plan;
  draw_geometry(policy, random, aspect, &plan);
  draw_colour(policy, random, &plan);
  draw_camera(policy, random, &plan);
  if (random.chance(policy.no_lesion)) draw_no_lesion(policy, random, aspect, mask, &plan);
  return plan;
}

}  // namespace unetseg::trainer
