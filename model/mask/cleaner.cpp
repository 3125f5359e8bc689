// SPDX-License-Identifier: MIT
// Clean-up with OpenCV's connected components.
#include "model/mask/mask.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "model/error.h"
#include "model/mask/expected_dice.h"

namespace unetseg {

struct Cleaner::Scratch {
  cv::Mat mask, labels, stats, centroids;
  std::vector<unsigned char> keep;  // for each label

  // Labels the regions of equal value in `mask`; label 0 is what is zero there.
  int label(int connectivity) {
    const int labels_found =
        cv::connectedComponentsWithStats(mask, labels, stats, centroids, connectivity, CV_32S);
    keep.assign(static_cast<std::size_t>(labels_found), 1);
    return labels_found;
  }
  void drop_small_regions(const CleanUp& how);
  void fill_holes();
};

void Cleaner::Scratch::drop_small_regions(const CleanUp& how) {
  const int found = label(8);
  const double smallest = how.min_area * static_cast<double>(mask.total());
  const auto area = [this](int i) { return stats.at<int>(i, cv::CC_STAT_AREA); };
  int largest = 1;
  for (int i = 2; i < found; ++i)
    if (area(i) > area(largest)) largest = i;
  for (int i = 1; i < found; ++i)
    keep[static_cast<std::size_t>(i)] = area(i) >= smallest && (!how.largest_only || i == largest);
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (keep[static_cast<std::size_t>(labels.at<int>(y, x))] == 0)
        mask.at<unsigned char>(y, x) = 0;
}

void Cleaner::Scratch::fill_holes() {
  // Regions are 8-connected, so background is 4-connected: it does not leak through a diagonal.
  cv::bitwise_not(mask, mask);
  const int found = label(4);
  for (int i = 1; i < found; ++i) {
    const int* box = stats.ptr<int>(i);
    const int left = box[cv::CC_STAT_LEFT], top = box[cv::CC_STAT_TOP];
    keep[static_cast<std::size_t>(i)] = left == 0 || top == 0 ||
                                        left + box[cv::CC_STAT_WIDTH] == mask.cols ||
                                        top + box[cv::CC_STAT_HEIGHT] == mask.rows;
  }
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (keep[static_cast<std::size_t>(labels.at<int>(y, x))] == 0)
        mask.at<unsigned char>(y, x) = 0;
  cv::bitwise_not(mask, mask);
}

Cleaner::Cleaner() = default;
Cleaner::~Cleaner() = default;

void Cleaner::clean(float* probabilities, int width, int height, double threshold,
                    const CleanUp& how) {
  const bool drop = how.largest_only || how.min_area > 0;
  if (!how.asks_for_anything()) return;
  const float level = reaching_level(threshold);
  const float below = std::nextafter(level, -std::numeric_limits<float>::infinity());
  const std::size_t columns = static_cast<std::size_t>(width);
  try {
    if (!scratch_) scratch_ = std::make_unique<Scratch>();
    cv::Mat& mask = scratch_->mask;
    mask.create(height, width, CV_8U);
    for (int y = 0; y < height; ++y)
      for (std::size_t x = 0; x < columns; ++x)
        mask.ptr(y)[x] =
            probabilities[static_cast<std::size_t>(y) * columns + x] >= level ? 255 : 0;
    if (drop) scratch_->drop_small_regions(how);
    if (how.fill_holes) scratch_->fill_holes();
    // A matrix that was created is continuous.
    const auto in_mask = [&mask](std::size_t i) { return mask.data[i] != 0; };
    if (how.min_confidence > 0 &&
        expected_dice(probabilities, mask.total(), in_mask) < how.min_confidence)
      mask.setTo(0);
    for (int y = 0; y < height; ++y)
      for (std::size_t x = 0; x < columns; ++x) {
        float& p = probabilities[static_cast<std::size_t>(y) * columns + x];
        p = mask.ptr(y)[x] != 0 ? std::max(p, level) : std::min(p, below);
      }
  } catch (const std::bad_alloc&) {
    throw Error(Fault::no_space, "There is not enough memory to clean up the mask.");
  } catch (const cv::Exception& e) {
    const bool memory = e.code == cv::Error::StsNoMem;
    throw Error(memory ? Fault::no_space : Fault::failed,
                memory ? "There is not enough memory to clean up the mask."
                       : "OpenCV could not clean up the mask.",
                e.what());
  }
}

}  // namespace unetseg
