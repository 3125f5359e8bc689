// SPDX-License-Identifier: MIT
#include "plugin/segmenter.h"

#include <algorithm>
#include <utility>

namespace unetseg {
namespace {

using std::chrono::steady_clock;

// Longer than anything lasts, GST_CLOCK_TIME_NONE included: the clock would overflow.
constexpr guint64 kNever = std::chrono::nanoseconds::max().count() / 2;

// Of an inference that is waited for from `begin` on.
Deadline deadline_of(const FrameSettings& settings, steady_clock::time_point begin) {
  if (settings.inference_timeout == 0 || settings.inference_timeout >= kNever) return {};
  return begin + std::chrono::nanoseconds(settings.inference_timeout);
}

bool has_passed(const Deadline& deadline) {
  return deadline && steady_clock::now() >= *deadline;
}
constexpr UnetsegMotion kAtRest = {{1, 0, 0, 0, 1, 0}, 0, FALSE};
// A movement of less confidence moves nothing.
constexpr double kSure = 0.25;

}  // namespace

void Segmenter::use(std::shared_ptr<Inference> model) {
  if (model == model_) return;
  job_.reset();  // it may hang, and the new model's worker need not wait for the old one's
  model_ = std::move(model);
  taken_ = 0;
}

void Segmenter::reset() {
  discontinue();
  job_.reset();
  taken_ = 0;
}

void Segmenter::discontinue() {
  drop_mask();
  turn_ = 0;
  if (job_) job_->is_wanted = false;
}

bool Segmenter::is_turn(const FrameSettings& settings) {
  return turn_++ % std::max(1u, settings.inference_interval) == 0;
}

// Also what the worker may still be writing to.
guint64 Segmenter::used_slots() const {
  return job_ ? taken_ | job_->slots : taken_;
}

guint Segmenter::take_slot() {
  guint slot = 0;
  while (used_slots() & bit(slot)) ++slot;
  taken_ |= bit(slot);
  return slot;
}

// Slots of a model that is in use no more are nobody's.
void Segmenter::give_back(const Inference* model, guint slot) {
  if (model == model_.get()) free_slot(slot);
}

void Segmenter::drop_mask() {
  if (shown_) give_back(shown_->model, shown_->slot);
  shown_.reset();
  shown_model_.reset();
}

Waited Segmenter::infer(const guint* slots, guint n, const FrameSettings& settings,
                        guint64* nanoseconds) {
  const steady_clock::time_point begin = steady_clock::now();
  const Deadline deadline = deadline_of(settings, begin);
  Waited waited = model_->start(slots, n, settings.tta, deadline);
  if (waited != Waited::done) return waited;
  guint64 bits = 0;
  for (guint i = 0; i < n; ++i) bits |= bit(slots[i]);
  job_ = Job{bits, slots[0], {}, begin, false, false};
  try {
    waited = model_->finish(nanoseconds, deadline);
  } catch (...) {
    job_.reset();
    throw;
  }
  if (waited == Waited::done) {
    job_.reset();
    count(*nanoseconds);
  } else {
    job_->is_given_up = waited == Waited::late;
  }
  return waited;
}

void Segmenter::count(guint64 nanoseconds) {
  statistics_->add_inference_time(nanoseconds);
  usual_mask_age_ = std::max(kLeastUsualMaskAge, 3 * statistics_->inference_time(0.5));
}

void Segmenter::show(guint slot, const InferredFrame& frame, guint64 nanoseconds,
                     const FrameSettings& settings) {
  take(slot, frame, nanoseconds, settings);
}

// With what the mask before shows of the same scene.
void Segmenter::smooth(guint slot, const FrameSettings& settings) {
  UnetsegMotion motion = kAtRest;
  model_->track(shown_->slot, slot, &motion);
  if (motion.other_scene) {
    statistics_->count_scene_cut();
    return;
  }
  const bool moves = settings.motion_compensation && motion.confidence >= kSure;
  model_->smooth(slot, shown_->slot, moves ? &motion : nullptr, settings.smoothing);
}

void Segmenter::follow(guint slot) {
  if (!can_follow()) return;
  // Always from the mask's own frame: errors do not add up.
  UnetsegMotion motion = shown_->motion.value_or(kAtRest);
  shown_->model->track(shown_->slot, slot, &motion);
  if (motion.other_scene) {
    statistics_->count_scene_cut();
    drop_mask();
    if (job_) job_->is_wanted = false;
  } else if (motion.confidence >= kSure) {
    shown_->motion = motion;
  }
}

void Segmenter::take(guint slot, const InferredFrame& frame, guint64 nanoseconds,
                     const FrameSettings& settings) {
  if (settings.smoothing > 0 && can_follow()) smooth(slot, settings);
  drop_mask();
  shown_model_ = model_;
  shown_ = ShownMask{model_.get(), slot, std::nullopt};
  shown_pts_ = frame.pts;
  results_->take(*shown_, frame, nanoseconds);
}

bool Segmenter::start(guint slot, const InferredFrame& frame, const FrameSettings& settings) {
  free_slot(slot);
  if (model_->start(&slot, 1, settings.tta) != Waited::done) return false;
  job_ = Job{bit(slot), slot, frame, steady_clock::now(), true, false};
  return true;
}

Waited Segmenter::collect(bool wait, const FrameSettings& settings, bool* taken) {
  *taken = false;
  if (!job_) return Waited::done;
  if (!wait && model_->is_running()) {
    if (job_->is_given_up || !has_passed(deadline_of(settings, job_->begin))) return Waited::done;
    job_->is_given_up = true;
    return Waited::late;
  }
  // What was given up is waited for anew: there is nothing else to do.
  const Deadline deadline =
      deadline_of(settings, job_->is_given_up ? steady_clock::now() : job_->begin);
  guint64 nanoseconds = 0;
  Waited waited;
  try {
    waited = model_->finish(&nanoseconds, deadline);
  } catch (...) {
    const bool is_wanted = job_->is_wanted && !job_->is_given_up;
    job_.reset();
    if (!is_wanted) return Waited::done;  // nothing that comes now has to do with it
    drop_mask();
    throw;
  }
  if (waited == Waited::late) job_->is_given_up = true;
  if (waited != Waited::done) return waited;
  const Job job = *std::exchange(job_, std::nullopt);
  if (job.is_given_up) return Waited::done;
  count(nanoseconds);
  if (!job.is_wanted) return Waited::done;
  taken_ |= job.slots;
  take(job.slot, job.frame, nanoseconds, settings);
  *taken = true;
  return Waited::done;
}

GstClockTime Segmenter::mask_age(GstClockTime pts) const {
  if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(shown_pts_))
    return GST_CLOCK_TIME_NONE;
  return pts > shown_pts_ ? pts - shown_pts_ : shown_pts_ - pts;
}

Shown Segmenter::shown_at(GstClockTime pts, const FrameSettings& settings) const {
  if (!shown_ || settings.max_mask_age == 0) return shown_;
  const GstClockTime age = mask_age(pts);
  if (!GST_CLOCK_TIME_IS_VALID(age)) return shown_;
  const guint64 most =
      settings.max_mask_age > 0 ? static_cast<guint64>(settings.max_mask_age) : usual_mask_age_;
  return age <= most ? shown_ : std::nullopt;
}

}  // namespace unetseg
