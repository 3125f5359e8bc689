// SPDX-License-Identifier: MIT
#include "model/motion/alignment.h"

#include <algorithm>
#include <cmath>

namespace unetseg {
namespace {

constexpr double kOutlier = 2;  // mean errors from which a pixel counts little
constexpr double kLeastGain = 0.3, kMostGain = 3;
constexpr double kDamping = 1e-3;    // of the Hessian's diagonal
constexpr double kConverged = 0.02;  // pixels

// Solves the symmetric positive definite 4 x 4 system by Cholesky's method. False: it is not.
bool solve(const double* upper, double* x) {
  double l[4][4];
  int k = 0;
  double a[4][4];
  for (int i = 0; i < 4; ++i)
    for (int j = i; j < 4; ++j) a[i][j] = a[j][i] = upper[k++];
  for (int i = 0; i < 4; ++i) {
    a[i][i] *= 1 + kDamping;
    for (int j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (int m = 0; m < j; ++m) sum -= l[i][m] * l[j][m];
      if (i != j) {
        l[i][j] = sum / l[j][j];
      } else {
        if (!(sum > 1e-9 * a[i][i])) return false;
        l[i][i] = std::sqrt(sum);
      }
    }
  }
  for (int i = 0; i < 4; ++i) {
    for (int m = 0; m < i; ++m) x[i] -= l[i][m] * x[m];
    x[i] /= l[i][i];
  }
  for (int i = 3; i >= 0; --i) {
    for (int m = i + 1; m < 4; ++m) x[i] -= l[m][i] * x[m];
    x[i] /= l[i][i];
  }
  return true;
}

}  // namespace

Alignment::Alignment(const Level& from, const Level& to, const Extent& extent)
    : from_(from),
      to_(to),
      unit_x_(from.step_x * extent.width),
      unit_y_(from.step_y * extent.height),
      centre_x_(0.5 / from.step_x - 0.5),
      centre_y_(0.5 / from.step_y - 0.5) {}

template <bool kSteps>
Alignment::Sums Alignment::add_up(const Similarity& motion, float gain, float scale) const {
  Sums sums;
  const float inverse_scale = 1 / scale;
  const float slope_x = static_cast<float>(1 / unit_x_), slope_y = static_cast<float>(1 / unit_y_);
  const float step_x = static_cast<float>(motion.a);
  const float step_y = static_cast<float>(motion.b * unit_x_ / unit_y_);
  const int border = kSteps ? 1 : 0;
  for (int y = border; y < from_.height - border; ++y) {
    const double v = (y - centre_y_) * unit_y_, left = -centre_x_ * unit_x_;
    const float row_x =
        static_cast<float>((motion.a * left - motion.b * v + motion.x) / unit_x_ + centre_x_);
    const float row_y =
        static_cast<float>((motion.b * left + motion.a * v + motion.y) / unit_y_ + centre_y_);
    float pixels = 0, from2 = 0, to2 = 0, product = 0, error = 0, weighted_to2 = 0,
          weighted_product = 0, hessian[10] = {}, gradient[4] = {};
    for (int x = border; x < from_.width - border; ++x) {
      const float to_x = row_x + step_x * static_cast<float>(x);
      const float to_y = row_y + step_y * static_cast<float>(x);
      if (!(to_x >= 0 && to_y >= 0 && to_x < static_cast<float>(to_.width - 1) &&
            to_y < static_cast<float>(to_.height - 1)))
        continue;
      const int column = static_cast<int>(to_x), row = static_cast<int>(to_y);
      const std::size_t here = from_.at(x, y), there = to_.at(column, row);
      if (from_.seen[here] * to_.whole[there] == 0) continue;
      const float right = to_x - static_cast<float>(column), low = to_y - static_cast<float>(row);
      const float* upper = &to_.detail[there];
      const float* lower = upper + to_.width;
      const float above = upper[0] + right * (upper[1] - upper[0]);
      const float below = lower[0] + right * (lower[1] - lower[0]);
      const float other = above + low * (below - above), own = from_.detail[here];
      ++pixels;
      from2 += own * own;
      to2 += other * other;
      product += own * other;
      if (!kSteps) continue;
      const float difference = gain * other - own;
      error += std::abs(difference);
      const float outlying = difference * inverse_scale;
      const float root = 1 / (1 + outlying * outlying), weight = root * root;
      weighted_to2 += weight * other * other;
      weighted_product += weight * own * other;
      const float gx = from_.dx[here] * slope_x, gy = from_.dy[here] * slope_y;
      const float fu = static_cast<float>((x - centre_x_) * unit_x_), fv = static_cast<float>(v);
      const float ga = gx * fu + gy * fv, gb = gy * fu - gx * fv;
      const float wx = weight * gx, wy = weight * gy, wa = weight * ga, wb = weight * gb;
      hessian[0] += wx * gx;
      hessian[1] += wx * gy;
      hessian[2] += wx * ga;
      hessian[3] += wx * gb;
      hessian[4] += wy * gy;
      hessian[5] += wy * ga;
      hessian[6] += wy * gb;
      hessian[7] += wa * ga;
      hessian[8] += wa * gb;
      hessian[9] += wb * gb;
      gradient[0] += wx * difference;
      gradient[1] += wy * difference;
      gradient[2] += wa * difference;
      gradient[3] += wb * difference;
    }
    sums.pixels += static_cast<double>(pixels);
    sums.from2 += static_cast<double>(from2);
    sums.to2 += static_cast<double>(to2);
    sums.product += static_cast<double>(product);
    sums.error += static_cast<double>(error);
    sums.weighted_to2 += static_cast<double>(weighted_to2);
    sums.weighted_product += static_cast<double>(weighted_product);
    for (int i = 0; i < 10; ++i) sums.hessian[i] += static_cast<double>(hessian[i]);
    for (int i = 0; i < 4; ++i) sums.gradient[i] += static_cast<double>(gradient[i]);
  }
  return sums;
}

Fit Alignment::fit(const Similarity& motion) {
  const Sums sums = add_up<false>(motion, 1, 1);
  double seen = 0;
  for (const float s : from_.seen) seen += static_cast<double>(s);
  Fit fit;
  fit.overlap = seen > 0 ? sums.pixels / seen : 0;
  const double energy = std::sqrt(sums.from2 * sums.to2);
  fit.correlation = energy > 0 ? sums.product / energy : 0;
  return fit;
}

Similarity Alignment::refine(Similarity motion, int steps) {
  // At first nothing is known of the errors: all pixels count alike.
  float gain = 1, scale = 1e9f;
  for (int i = 0; i < steps; ++i) {
    const Sums sums = add_up<true>(motion, gain, scale);
    double step[4];
    std::copy_n(sums.gradient, 4, step);
    if (!(sums.error > 0) || !solve(sums.hessian, step)) break;
    const Similarity change = {1 + step[2], step[3], step[0], step[1]};
    if (!(change.determinant() > 0.25)) break;
    motion = motion.after(change.inverse());
    if (sums.weighted_to2 > 0)
      gain = static_cast<float>(
          std::clamp(sums.weighted_product / sums.weighted_to2, kLeastGain, kMostGain));
    scale = static_cast<float>(std::max(kOutlier * sums.error / sums.pixels, 1e-6));
    const double moved = (std::hypot(step[0], step[1]) + 0.5 * std::hypot(step[2], step[3])) /
                         std::max(unit_x_, unit_y_);
    if (i > 0 && moved < kConverged) break;
  }
  return motion;
}

}  // namespace unetseg
