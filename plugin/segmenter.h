// SPDX-License-Identifier: MIT
// Which mask a frame shows: what is sampled and inferred, and the newest mask that came of it.
#pragma once

#include <gst/video/video.h>

#include <chrono>
#include <memory>
#include <optional>

#include "plugin/inference.h"
#include "plugin/results.h"
#include "plugin/settings.h"
#include "plugin/shown.h"
#include "plugin/statistics.h"

namespace unetseg {

// Functions belong to the streaming thread, or run while there is none, and throw Failure.
// The arguments of the constructor are borrowed.
class Segmenter {
 public:
  Segmenter(Statistics* statistics, Results* results)
      : statistics_(statistics), results_(results) {}

  // From the next frame on. What the model before has inferred is shown until there is something
  // newer; what it is working on is not waited for.
  void use(std::shared_ptr<Inference> model);
  Inference& model() { return *model_; }

  // Forgets everything but the model.
  void reset();
  // What comes now has nothing to do with what was before: no mask is carried over.
  void discontinue();

  // Every Nth frame, counted from the first after a discontinuity. To be asked once for each.
  bool is_turn(const FrameSettings& settings);

  // A slot that nothing needs. It counts as needed until its mask is taken, or it is freed.
  guint take_slot();
  void free_slot(guint slot) { taken_ &= ~bit(slot); }

  // Infers slots together and waits, up to the time-out. Unless this answers `done` they may be
  // worked on for longer: is_busy() is true then, and nothing will come of it.
  Waited infer(const guint* slots, guint n, const FrameSettings& settings, guint64* nanoseconds);
  // The mask that was inferred of `frame` is the newest from now on.
  void show(guint slot, const InferredFrame& frame, guint64 nanoseconds,
            const FrameSettings& settings);

  // Begins to infer a slot without waiting for it; the slot is the segmenter's from now on. To be
  // called while is_busy() is false. False: flushing.
  bool start(guint slot, const InferredFrame& frame, const FrameSettings& settings);
  bool is_busy() const { return job_.has_value(); }
  // Whether what is_busy() means is an inference that has been given up.
  bool is_stuck() const { return job_ && job_->is_given_up; }
  // Takes what start() began if it is done, or waits for it up to the time-out if `wait`, and
  // throws what it threw: there is no mask then. `taken` receives whether there is a newer mask
  // now. `late`: it has been given up, just now if it had not been waited for before.
  Waited collect(bool wait, const FrameSettings& settings, bool* taken);

  // Whether the newest mask can follow the picture: it is of the model that frames are sampled for.
  bool can_follow() const { return shown_.has_value() && shown_model_ == model_; }
  // Moves the newest mask, if it can follow, as the picture has moved from its frame to the one
  // that was sampled into `slot`. It stays where it is where that cannot be told, and is dropped
  // where the frame shows another scene; so is what start() began then.
  void follow(guint slot);

  // No frame shows the newest mask any more.
  void drop_mask();
  // The newest mask.
  const Shown& shown() const { return shown_; }
  // Between a frame and the one that the newest mask was inferred from; NONE where one has no time.
  GstClockTime mask_age(GstClockTime pts) const;
  // What max-mask-age=-1 means, ns: 500 ms, or three inferences where they take longer.
  guint64 usual_mask_age() const { return usual_mask_age_; }
  // The newest mask, unless it is too old for a frame of this time.
  Shown shown_at(GstClockTime pts, const FrameSettings& settings) const;

 private:
  // What the model's worker was asked for and has not been seen to be done with.
  struct Job {
    guint64 slots;  // that it works on, one bit each
    guint slot;     // the one to show
    InferredFrame frame;
    std::chrono::steady_clock::time_point begin;
    bool is_wanted;    // false: a discontinuity came after its frame
    bool is_given_up;  // it took longer than it may
  };

  static guint64 bit(guint slot) { return guint64{1} << slot; }
  guint64 used_slots() const;
  void give_back(const Inference* model, guint slot);
  void count(guint64 nanoseconds);
  void smooth(guint slot, const FrameSettings& settings);
  void take(guint slot, const InferredFrame& frame, guint64 nanoseconds,
            const FrameSettings& settings);

  Statistics* statistics_;
  Results* results_;
  std::shared_ptr<Inference> model_;
  guint64 taken_ = 0;  // slots of model_ but for the job's, one bit each
  std::optional<Job> job_;
  std::shared_ptr<Inference> shown_model_;  // keeps what shown_ points to
  Shown shown_;
  GstClockTime shown_pts_ = GST_CLOCK_TIME_NONE;  // of the frame that it was inferred from
  static constexpr guint64 kLeastUsualMaskAge = 500 * GST_MSECOND;
  guint64 usual_mask_age_ = kLeastUsualMaskAge;  // set with each mask
  guint64 turn_ = 0;                             // frames since the last discontinuity
};

}  // namespace unetseg
