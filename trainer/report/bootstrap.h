// SPDX-License-Identifier: MIT
// How far a mean over images may be off: percentiles over resamples of the images.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace unetseg::trainer {

constexpr int kResamples = 10000;

struct Interval {
  double mean = 0, low = 0, high = 0;  // 95 %
};

// Linear between the two nearest of the sorted values; `q` from 0 to 1. There must be values.
double quantile(const std::vector<double>& sorted, double q);

// Calls `use` kResamples times with `images` indices, drawn with replacement. The seed is fixed:
// the same number of images gives the same draws.
void for_each_resample(std::size_t images,
                       const std::function<void(const std::vector<std::size_t>&)>& use);

// Means over images of several columns (columns[m][image], all of one length, none empty) in each
// resample: result[m][resample]. All columns are resampled together.
std::vector<std::vector<double>> resampled_means(const std::vector<std::vector<double>>& columns);

// A value with the 2.5 and 97.5 percentiles of what it was in the resamples.
Interval with_interval(double value, std::vector<double> resampled);

// Zeros where there are no values.
double mean_of(const std::vector<double>& values);
Interval mean_with_interval(const std::vector<double>& values);

// The mean of b - a, image by image: what both have in common does not widen the interval.
Interval paired_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace unetseg::trainer
