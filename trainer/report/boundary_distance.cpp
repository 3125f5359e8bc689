// SPDX-License-Identifier: MIT
#include "trainer/report/boundary_distance.h"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "trainer/report/bootstrap.h"

namespace unetseg::trainer {
namespace {

// 255 on the border, 0 elsewhere.
cv::Mat border_of(const std::uint8_t* mask, const cv::Size& size) {
  // cv::Mat borrows; nothing writes through it.
  const cv::Mat region(size, CV_8UC1, const_cast<std::uint8_t*>(mask));
  cv::Mat inner;
  cv::erode(region, inner, cv::getStructuringElement(cv::MORPH_CROSS, {3, 3}), {-1, -1}, 1,
            cv::BORDER_CONSTANT, cv::Scalar(0));
  return region - inner;
}

// The 95th percentile of the distances, in pixels, from one border's pixels to the other border.
double directed(const cv::Mat& from, const cv::Mat& to) {
  cv::Mat distance;
  cv::distanceTransform(~to, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  std::vector<double> distances;
  for (int y = 0; y < from.rows; ++y)
    for (int x = 0; x < from.cols; ++x)
      if (from.at<std::uint8_t>(y, x) != 0)
        distances.push_back(static_cast<double>(distance.at<float>(y, x)));
  std::sort(distances.begin(), distances.end());
  return quantile(distances, 0.95);
}

}  // namespace

double boundary_distance(const std::uint8_t* a, const std::uint8_t* b, int width, int height) {
  const cv::Size size(width, height);
  const cv::Mat border_a = border_of(a, size), border_b = border_of(b, size);
  if (cv::countNonZero(border_a) == 0 || cv::countNonZero(border_b) == 0)
    return std::numeric_limits<double>::quiet_NaN();
  return std::max(directed(border_a, border_b), directed(border_b, border_a)) /
         std::hypot(width, height);
}

}  // namespace unetseg::trainer
