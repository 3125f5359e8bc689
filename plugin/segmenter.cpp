// SPDX-License-Identifier: MIT
#include "plugin/segmenter.h"

#include <algorithm>
#include <utility>

namespace unetseg {
namespace {

// A mask older than this is not drawn, by default; or than three inferences, where they take long.
constexpr guint64 kUsualMaskAge = 500 * GST_MSECOND;

}  // namespace

void Segmenter::use(std::shared_ptr<Inference> model) {
  if (model == model_) return;
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

guint Segmenter::take_slot() {
  guint slot = 0;
  while (taken_ & bit(slot)) ++slot;
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

bool Segmenter::infer(const guint* slots, guint n, UnetsegTta tta, guint64* nanoseconds) {
  if (!model_->start(slots, n, tta) || !model_->finish(nanoseconds)) return false;
  count(*nanoseconds);
  return true;
}

void Segmenter::count(guint64 nanoseconds) {
  statistics_->add_inference_time(nanoseconds);
  usual_mask_age_ = std::max(kUsualMaskAge, 3 * statistics_->inference_time(0.5));
}

void Segmenter::show(guint slot, const InferredFrame& frame, guint64 nanoseconds,
                     const FrameSettings& settings) {
  take({model_, slot, frame, true}, nanoseconds, settings);
}

void Segmenter::take(const Job& job, guint64 nanoseconds, const FrameSettings& settings) {
  if (settings.smoothing > 0 && shown_ && shown_model_ == job.model)
    job.model->smooth(job.slot, shown_->slot, nullptr, settings.smoothing);
  drop_mask();
  shown_model_ = job.model;
  shown_ = ShownMask{job.model.get(), job.slot, std::nullopt};
  shown_pts_ = job.frame.pts;
  results_->take(*shown_, job.frame, nanoseconds);
}

bool Segmenter::start(guint slot, const InferredFrame& frame, UnetsegTta tta) {
  if (!model_->start(&slot, 1, tta)) {
    free_slot(slot);
    return false;
  }
  job_ = Job{model_, slot, frame, true};
  return true;
}

bool Segmenter::collect(bool wait, const FrameSettings& settings, bool* taken) {
  *taken = false;
  if (!job_ || (!wait && job_->model->is_running())) return true;
  const Job job = *job_;
  guint64 nanoseconds = 0;
  try {
    if (!job.model->finish(&nanoseconds)) return false;
  } catch (...) {
    job_.reset();
    give_back(job.model.get(), job.slot);
    if (!job.is_wanted) return true;  // nothing that comes now has to do with it
    drop_mask();
    throw;
  }
  job_.reset();
  count(nanoseconds);
  if (!job.is_wanted) {
    give_back(job.model.get(), job.slot);
    return true;
  }
  take(job, nanoseconds, settings);
  *taken = true;
  return true;
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
