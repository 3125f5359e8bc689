// SPDX-License-Identifier: MIT
#include "trainer/synthesize/camera.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>

namespace unetseg::trainer {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr int kGrainSpare =
    64;  // the tile is this much larger: each frame takes another part of it

// A sum of slow waves whose frequencies never meet again, -1..1.
class Wander {
 public:
  Wander(double hertz, SplitMix64& random) : hertz_(hertz) {
    for (double& phase : phase_) phase = random.uniform(0, 2 * kPi);
  }
  double at(double seconds) const {
    const double t = 2 * kPi * hertz_ * seconds;
    return 0.5 * std::sin(t + phase_[0]) + 0.3 * std::sin(1.618 * t + phase_[1]) +
           0.2 * std::sin(2.732 * t + phase_[2]);
  }

 private:
  double hertz_;
  double phase_[3];
};

// Nearly normal, variance 1, from one draw: the sum of four 16-bit uniforms.
float normal(SplitMix64& random) {
  const std::uint64_t bits = random.next();
  const std::uint64_t sum =
      (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
  return (static_cast<float>(sum) / 65536.0f - 2.0f) * 1.7320508f;
}

}  // namespace

Pose pose_at(std::uint64_t seed, double seconds) {
  SplitMix64 random = random_of(seed, Part::motion);
  const Wander x(0.21, random), y(0.17, random), tremor_x(3.1, random), tremor_y(3.7, random);
  const Wander turn(0.13, random), breath(0.24, random), focus(0.3, random);
  const double vigour = random.uniform(0.6, 1.0);
  Pose pose;
  pose.x = vigour * (0.155 * x.at(seconds) + 0.005 * tremor_x.at(seconds));
  pose.y = vigour * (0.11 * y.at(seconds) + 0.005 * tremor_y.at(seconds));
  pose.turn = vigour * kLargestTurn * turn.at(seconds);
  pose.zoom = 1 + vigour * (1 - kSmallestZoom) * breath.at(seconds);
  pose.defocus = 0.008 * std::max(0.0, focus.at(seconds) - 0.35);
  return pose;
}

Optics::Optics(const Canvas& frame, double clear_radius, std::uint64_t seed)
    : frame_(frame), seed_(seed) {
  SplitMix64 random = random_of(seed, Part::optics);
  blur_ = random.uniform(0.0012, 0.004);
  choose_light(clear_radius, random);
  add_bubbles(random);
  make_grain(random);
}

void Optics::choose_light(double clear_radius, SplitMix64& random) {
  const double fall_off = random.uniform(0.02, 0.2);  // at a distance of 1
  const double angle = random.uniform(0, 2 * kPi), slope = random.uniform(0, 0.09);
  const double lamp_x = random.uniform(-0.25, 0.25), lamp_y = random.uniform(-0.25, 0.25);
  const bool rim = random.chance(0.3);
  const double corner = std::hypot(frame_.x(0), frame_.y(0));
  const double aperture =
      std::max(clear_radius + 0.06, random.uniform(0.98, std::max(1.05, 0.97 * corner)));
  const double softness = random.uniform(0.012, 0.05);
  gain_.create(frame_.size(), CV_32FC1);
  for (int row = 0; row < frame_.height; ++row) {
    float* gain = gain_.ptr<float>(row);
    const double y = frame_.y(row);
    for (int column = 0; column < frame_.width; ++column) {
      const double x = frame_.x(column), dx = x - lamp_x, dy = y - lamp_y;
      double light = 1 + slope * (std::cos(angle) * x + std::sin(angle) * y) +
                     fall_off * (0.3 - dx * dx - dy * dy);
      if (rim) light *= 0.06 + 0.94 / (1 + std::exp((std::hypot(x, y) - aperture) / softness));
      gain[column] = static_cast<float>(std::max(0.0, light));
    }
  }
}

// Bubbles in the gel: a thin bright ring with a brighter spot towards the lamp.
void Optics::add_bubbles(SplitMix64& random) {
  glare_ = cv::Mat::zeros(frame_.size(), CV_32FC1);
  const int count = random.chance(0.35) ? 1 + static_cast<int>(random.below(7)) : 0;
  constexpr int kBits = 4;
  const auto fixed = [](double value) {
    return static_cast<int>(std::lround(value * (1 << kBits)));
  };
  cv::Mat layer = cv::Mat::zeros(frame_.size(), CV_8U);
  for (int i = 0; i < count; ++i) {
    const double x = random.uniform(-1.2, 1.2), y = random.uniform(-0.95, 0.95);
    const double radius = random.uniform(0.006, 0.028), strength = random.uniform(12, 45);
    const cv::Point centre(fixed(frame_.column(x)), fixed(frame_.row(y)));
    cv::circle(layer, centre, fixed(radius * frame_.unit), cv::Scalar(strength), 1, cv::LINE_AA,
               kBits);
    const cv::Point spot(fixed(frame_.column(x - 0.5 * radius)),
                         fixed(frame_.row(y - 0.5 * radius)));
    cv::circle(layer, spot, fixed(0.18 * radius * frame_.unit), cv::Scalar(1.6 * strength),
               cv::FILLED, cv::LINE_AA, kBits);
  }
  layer.convertTo(glare_, CV_32F);
  // Skin that the gel does not cover shines in small flecks, mostly towards one side.
  if (random.chance(0.15)) {
    const double strength = random.uniform(40, 110);
    const cv::Mat flecks = cv::max(fractal_noise(frame_, 18, 3, 0.8, random.next()) - 1.3, 0);
    const cv::Mat where = cv::max(smooth_noise(frame_, 0.9, random.next()) - 0.6, 0);
    glare_ += strength * flecks.mul(where);
  }
  glare_ = glare_.mul(gain_);
}

void Optics::make_grain(SplitMix64& random) {
  const float strength = static_cast<float>(random.uniform(0.8, 2.8));
  SplitMix64 grains = random_of(seed_, Part::grain);
  grain_.create(frame_.height + kGrainSpare, frame_.width + kGrainSpare, CV_32FC3);
  for (int row = 0; row < grain_.rows; ++row) {
    cv::Vec3f* out = grain_.ptr<cv::Vec3f>(row);
    for (int column = 0; column < grain_.cols; ++column) {
      const float shared = strength * normal(grains);
      for (int c = 0; c < 3; ++c) out[column][c] = shared + 0.5f * strength * normal(grains);
    }
  }
  // Demosaicing smears each sensor element's noise over its neighbours.
  cv::GaussianBlur(grain_, grain_, {3, 3}, 0.6);
}

void Optics::apply(double defocus, int number, cv::Mat* view) const {
  const double sigma = std::hypot(blur_, defocus) * frame_.unit;
  if (sigma > 0.3) cv::GaussianBlur(*view, *view, {0, 0}, sigma);
  SplitMix64 place(seed_ + static_cast<std::uint64_t>(number));
  const int left = static_cast<int>(place.below(kGrainSpare + 1));
  const int top = static_cast<int>(place.below(kGrainSpare + 1));
  for (int row = 0; row < view->rows; ++row) {
    std::uint8_t* pixel = view->ptr<std::uint8_t>(row);
    const float *gain = gain_.ptr<float>(row), *glare = glare_.ptr<float>(row);
    const float* grain = grain_.ptr<float>(row + top) + 3 * left;
    for (int column = 0; column < view->cols; ++column, pixel += 3, grain += 3)
      for (int c = 0; c < 3; ++c)
        pixel[c] =
            cv::saturate_cast<std::uint8_t>(gain[column] * pixel[c] + glare[column] + grain[c]);
  }
}

}  // namespace unetseg::trainer
