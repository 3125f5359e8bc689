// SPDX-License-Identifier: MIT
// What became of the frames, and how long inferences take.
#pragma once

#include <gst/gst.h>

#include <array>
#include <mutex>

namespace unetseg {

// What becomes of a frame.
enum class Outcome {
  inferred,  // got a mask of its own
  held,      // got an earlier frame's mask
  gap,       // was marked as a gap, and passed on without inference
  faulty,    // could not be processed
};
constexpr std::size_t kOutcomes = 4;

// Any thread may call any function.
class Statistics {
 public:
  void reset();
  void count(Outcome outcome);
  // Of the frames that are held, or gaps: one that was to be inferred.
  void count_skipped();
  void count_scene_cut();
  // A mask was shown on a frame that is so much younger, nanoseconds.
  void add_mask_age(guint64 nanoseconds);
  void add_inference_time(guint64 nanoseconds);

  // Of the newest inferences, 0 without any. `share` is 0..1.
  guint64 inference_time(double share) const;
  guint64 timed_inferences() const;  // that inference_time() knows of, or has known
  // Another model has taken over: how long the one before took says nothing.
  void forget_times();

  // The counts, which add up to `frames`, scene cuts, percentiles of the time and ages of masks in
  // nanoseconds. The caller owns it.
  GstStructure* structure() const;

 private:
  static constexpr std::size_t kTimes = 512;
  // Copied under the lock and looked through without it: frames are counted under it.
  struct Times {
    std::array<guint64, kTimes> times;
    std::size_t n;
    guint64 percentile(double share);  // reorders them
  };
  Times newest_times() const;

  mutable std::mutex mutex_;  // guards all below; nothing is called while it is held
  std::array<guint64, kOutcomes> counts_ = {};
  std::array<guint64, kTimes> times_ = {};  // a ring
  guint64 timed_ = 0;  // inferences that times_ has seen, since it was forgotten
  guint64 inferences_ = 0;
  guint64 skipped_ = 0;
  guint64 scene_cuts_ = 0;
  guint64 mask_age_ = 0, oldest_mask_ = 0;
};

}  // namespace unetseg
