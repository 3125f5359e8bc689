// SPDX-License-Identifier: MIT
#include "plugin/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace unetseg {

void Statistics::reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  counts_ = {};
  timed_ = inferences_ = skipped_ = scene_cuts_ = 0;
  mask_age_ = oldest_mask_ = 0;
}

void Statistics::count(Outcome outcome) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++counts_[static_cast<std::size_t>(outcome)];
}

void Statistics::count_skipped() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++skipped_;
}

void Statistics::count_scene_cut() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++scene_cuts_;
}

void Statistics::add_mask_age(guint64 nanoseconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  mask_age_ = nanoseconds;
  oldest_mask_ = std::max(oldest_mask_, nanoseconds);
}

void Statistics::add_inference_time(guint64 nanoseconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  times_[timed_++ % kTimes] = nanoseconds;
  ++inferences_;
}

guint64 Statistics::timed_inferences() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return timed_;
}

void Statistics::forget_times() {
  const std::lock_guard<std::mutex> lock(mutex_);
  timed_ = 0;
}

guint64 Statistics::inference_time(double share) const {
  std::unique_lock<std::mutex> lock(mutex_);
  Times times = newest_times();
  lock.unlock();
  return times.percentile(share);
}

Statistics::Times Statistics::newest_times() const {
  return {times_, static_cast<std::size_t>(std::min<guint64>(timed_, kTimes))};
}

guint64 Statistics::Times::percentile(double share) {
  if (n == 0) return 0;
  // The nearest rank: the smallest time that a `share` of all times do not exceed.
  const std::size_t rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(n)));
  const auto end = times.begin() + static_cast<std::ptrdiff_t>(n);
  const auto at = times.begin() + static_cast<std::ptrdiff_t>(std::max<std::size_t>(rank, 1) - 1);
  std::nth_element(times.begin(), at, end);
  return *at;
}

GstStructure* Statistics::structure() const {
  std::array<guint64, kOutcomes> counts;
  Times times;
  guint64 inferences, skipped, scene_cuts, mask_age, oldest_mask;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    counts = counts_;
    scene_cuts = scene_cuts_;
    times = newest_times();
    inferences = inferences_;
    skipped = skipped_;
    mask_age = mask_age_;
    oldest_mask = oldest_mask_;
  }
  const guint64 median = times.percentile(0.5), p95 = times.percentile(0.95),
                p99 = times.percentile(0.99);
  const auto count = [&](Outcome outcome) { return counts[static_cast<std::size_t>(outcome)]; };
  return gst_structure_new("unetseg-stats",  //
                           "frames", G_TYPE_UINT64,
                           std::accumulate(counts.begin(), counts.end(), guint64{0}), "inferred",
                           G_TYPE_UINT64, count(Outcome::inferred),          //
                           "held", G_TYPE_UINT64, count(Outcome::held),      //
                           "gaps", G_TYPE_UINT64, count(Outcome::gap),       //
                           "faulty", G_TYPE_UINT64, count(Outcome::faulty),  //
                           "skipped", G_TYPE_UINT64, skipped,                //
                           "inferences", G_TYPE_UINT64, inferences,          //
                           "scene-cuts", G_TYPE_UINT64, scene_cuts,          //
                           "mask-age", G_TYPE_UINT64, mask_age,              //
                           "mask-age-max", G_TYPE_UINT64, oldest_mask,       //
                           "inference-time-median", G_TYPE_UINT64, median,   //
                           "inference-time-p95", G_TYPE_UINT64, p95,         //
                           "inference-time-p99", G_TYPE_UINT64, p99, nullptr);
}

}  // namespace unetseg
