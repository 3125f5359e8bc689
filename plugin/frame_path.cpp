// SPDX-License-Identifier: MIT
#include "plugin/frame_path.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plugin/caps.h"
#include "plugin/debug.h"

namespace unetseg {
namespace {

// A mask older than this is not drawn, by default; or than three inferences, where they take long.
constexpr guint64 kUsualMaskAge = 500 * GST_MSECOND;

// A fault of one frame, which on-error decides about; anything else stops the stream.
bool is_of_one_frame(const Failure& failure) {
  return failure.domain == GST_STREAM_ERROR ||
         (failure.domain == GST_RESOURCE_ERROR && failure.code == GST_RESOURCE_ERROR_NO_SPACE_LEFT);
}

Failure bad_buffer(const char* why, GstBuffer* buffer) {
  return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
          std::string("A frame cannot be read, ") + why +
              ": check the element before unetseg, or set on-error=pass to go on without its mask",
          "buffer of " + std::to_string(gst_buffer_get_size(buffer)) + " bytes"};
}

// What upstream hears of two pads: nothing that only one of them minds, unless it is an error.
GstFlowReturn combined(GstFlowReturn a, GstFlowReturn b) {
  const auto goes_on = [](GstFlowReturn flow) {
    return flow >= GST_FLOW_OK || flow == GST_FLOW_NOT_LINKED || flow == GST_FLOW_EOS;
  };
  if (!goes_on(a)) return a;
  if (!goes_on(b)) return b;
  if (a == GST_FLOW_NOT_LINKED) return b;
  if (b == GST_FLOW_NOT_LINKED) return a;
  return std::max(a, b);  // EOS where both are, and fine otherwise
}

}  // namespace

FramePath::FramePath(GstElement* element, GstPad* source, Inference* inference,
                     Statistics* statistics)
    : element_(element),
      inference_(inference),
      statistics_(statistics),
      results_(element, inference),
      source_(element, source, inference) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
}

void FramePath::reset() {
  faults_.reset();
  geometry_ = {};
  sink_caps_.reset();
  source_.reset();
  if (const auto mask = mask_outlet()) mask->reset();
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  job_.reset();
  frames_ = 0;
  discontinue();
}

void FramePath::discontinue() {
  lateness_.reset();
  shown_.reset();
  turn_ = 0;
  if (job_) job_->is_wanted = false;
}

void FramePath::set_segment(const GstSegment& segment) {
  segment_ = segment;
  discontinue();
}

void FramePath::set_mask_pad(GstPad* pad) {
  std::shared_ptr<Outlet> outlet;
  if (pad != nullptr) outlet = std::make_shared<Outlet>(element_, pad, inference_);
  const std::lock_guard<std::mutex> lock(mask_mutex_);
  mask_.swap(outlet);
}

PadPtr FramePath::mask_pad() {
  const std::shared_ptr<Outlet> mask = mask_outlet();
  return PadPtr(mask ? GST_PAD(gst_object_ref(mask->pad())) : nullptr);
}

std::shared_ptr<Outlet> FramePath::mask_outlet() {
  const std::lock_guard<std::mutex> lock(mask_mutex_);
  return mask_;
}

bool FramePath::set_caps(GstCaps* caps, Output output) {
  geometry_ = {};
  sink_caps_.reset();
  discontinue();
  const std::shared_ptr<Outlet> mask = mask_outlet();
  if (mask) mask->reset();
  GstVideoInfo info;
  if (!read_sink_caps(caps, &info) || !source_.set_caps(caps, output)) return false;
  sink_caps_.reset(gst_caps_ref(caps));
  if (mask && !mask->set_caps(caps, Output::mask)) return false;
  return make_geometry(info, &geometry_);
}

GstFlowReturn FramePath::process(BufferPtr buffer, const FrameSettings& settings, bool live) {
  ++frames_;
  if (!has_caps()) {
    GST_WARNING_OBJECT(element_, "a buffer without usable caps");
    return GST_FLOW_NOT_NEGOTIATED;
  }
  // A mask that nobody takes is not made. The pad may have come after the caps.
  std::shared_ptr<Outlet> outlet = mask_outlet();
  if (outlet && !gst_pad_is_linked(outlet->pad())) outlet.reset();
  Outlet* mask = outlet.get();
  if (mask != nullptr && !mask->has_caps() && !mask->set_caps(sink_caps_.get(), Output::mask))
    mask = nullptr;

  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP)) {
    statistics_->count(Outcome::gap);
    return deliver(std::move(buffer), nullptr, std::nullopt, settings, mask);
  }
  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_DISCONT)) discontinue();

  const bool latest = is_latest(settings.mode, live);
  BufferLayout layout;
  const char* why = nullptr;
  const Result result = find_layout(buffer.get(), geometry_, &layout, &why)
                            ? give_mask(buffer.get(), layout, settings, !latest, mask)
                            : found_fault(FrameFault::format, bad_buffer(why, buffer.get()));
  if (result == Result::flushing) return GST_FLOW_FLUSHING;
  if (result == Result::faulty) return pass_fault(std::move(buffer), settings, live, mask);
  faults_.good_frame();
  const Shown shown = shown_for(buffer.get(), settings, latest);
  return deliver(std::move(buffer), &layout, shown, settings, mask);
}

// Every Nth frame, counted from the first after a discontinuity.
bool FramePath::is_turn_to_infer(const FrameSettings& settings) {
  return turn_++ % std::max(1u, settings.inference_interval) == 0;
}

// Whether the sink will show this frame too late anyway. Only an overlay may then do with an older
// mask: who asks for masks wants each frame's own.
bool FramePath::comes_too_late(GstBuffer* buffer, const FrameSettings& settings,
                               const Outlet* mask) {
  if (!settings.qos || !shown_ || source_.output() != Output::overlay || mask != nullptr ||
      segment_.format != GST_FORMAT_TIME)
    return false;
  return lateness_.is_late(
      gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)));
}

// `wait`: until the frame's own mask is there. Otherwise the worker gets the frame if it is free.
FramePath::Result FramePath::give_mask(GstBuffer* buffer, const BufferLayout& layout,
                                       const FrameSettings& settings, bool wait,
                                       const Outlet* mask) {
  try {
    const Result collected = collect(buffer, settings, wait);
    if (collected != Result::done) return collected;
    if (!is_turn_to_infer(settings) || (job_ && !wait) || comes_too_late(buffer, settings, mask)) {
      statistics_->count(shown_ ? Outcome::held : Outcome::gap);
      return Result::done;
    }
    const guint slot = free_slot();
    {
      MappedFrame frame;
      if (!frame.map(buffer, geometry_, layout, GST_MAP_READ))
        return found_fault(FrameFault::format, bad_buffer("its memory cannot be mapped", buffer));
      inference_->sample(slot, frame.view());
    }
    if (!inference_->start(slot)) return Result::flushing;
    job_ = Job{slot, describe(buffer), true};
    if (wait) {
      const Result inferred = collect(buffer, settings, true);
      if (inferred != Result::done) return inferred;
    }
    statistics_->count(Outcome::inferred);
    return Result::done;
  } catch (const Failure& failure) {
    if (!is_of_one_frame(failure)) throw;
    return found_fault(FrameFault::result, failure);
  }
}

// Takes what the worker has finished, if only after it has; `buffer` is the frame that will show
// it. A job that failed is no more.
FramePath::Result FramePath::collect(GstBuffer* buffer, const FrameSettings& settings, bool wait) {
  if (!job_ || (!wait && inference_->is_running())) return Result::done;
  guint64 nanoseconds = 0;
  const Job job = *job_;
  try {
    if (!inference_->finish(&nanoseconds)) return Result::flushing;
  } catch (...) {
    job_.reset();
    if (!job.is_wanted) return Result::done;  // nothing that comes now has to do with it
    shown_.reset();
    throw;
  }
  job_.reset();
  statistics_->add_inference_time(nanoseconds);
  usual_mask_age_ = std::max(kUsualMaskAge, 3 * statistics_->inference_time(0.5));
  if (!job.is_wanted) return Result::done;
  shown_ = job.slot;
  shown_pts_ = job.frame.pts;
  results_.take(job.slot, job.frame, nanoseconds);
  if (settings.post_messages) results_.post(settings, geometry_.info, mask_age(buffer));
  return Result::done;
}

InferredFrame FramePath::describe(GstBuffer* buffer) const {
  InferredFrame frame = {frames_ - 1, GST_BUFFER_PTS(buffer), GST_BUFFER_DURATION(buffer),
                         GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE};
  if (segment_.format == GST_FORMAT_TIME) {
    frame.running_time = gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, frame.pts);
    frame.stream_time = gst_segment_to_stream_time(&segment_, GST_FORMAT_TIME, frame.pts);
  }
  return frame;
}

guint FramePath::free_slot() const {
  guint slot = 0;
  while ((shown_ && slot == *shown_) || (job_ && slot == job_->slot)) ++slot;
  return slot;
}

// Between the frame and the one that the newest mask was inferred from; NONE where one has no time.
GstClockTime FramePath::mask_age(GstBuffer* buffer) const {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(shown_pts_))
    return GST_CLOCK_TIME_NONE;
  return pts > shown_pts_ ? pts - shown_pts_ : shown_pts_ - pts;
}

// The newest mask, unless it is too old for this frame.
Shown FramePath::shown_for(GstBuffer* buffer, const FrameSettings& settings, bool latest) const {
  if (!shown_ || !latest || settings.max_mask_age == 0) return shown_;
  const GstClockTime age = mask_age(buffer);
  if (!GST_CLOCK_TIME_IS_VALID(age)) return shown_;
  const guint64 most =
      settings.max_mask_age > 0 ? static_cast<guint64>(settings.max_mask_age) : usual_mask_age_;
  return age <= most ? shown_ : std::nullopt;
}

FramePath::Result FramePath::found_fault(FrameFault kind, Failure failure) {
  fault_kind_ = kind;
  fault_ = std::move(failure);
  return Result::faulty;
}

GstFlowReturn FramePath::pass_fault(BufferPtr buffer, const FrameSettings& settings, bool live,
                                    Outlet* mask) {
  statistics_->count(Outcome::faulty);
  const bool may_pass =
      settings.on_error == OnError::automatic ? live : settings.on_error == OnError::pass;
  switch (faults_.faulty_frame(fault_kind_, may_pass, g_get_monotonic_time())) {
    case FaultPolicy::Answer::give_up:
      throw fault_;
    case FaultPolicy::Answer::pass_and_warn:
      post_warning(element_, fault_);
      break;
    case FaultPolicy::Answer::pass:
      break;
  }
  // Nobody downstream could read a buffer that does not hold its frame.
  if (fault_kind_ == FrameFault::format && passes_frames(source_.output())) {
    return mask == nullptr ? GST_FLOW_OK : mask->push_mask(buffer.get(), std::nullopt, settings);
  }
  return deliver(std::move(buffer), nullptr, std::nullopt, settings, mask);
}

// Sends a frame out by every pad. `layout` is needed where something is drawn on it.
GstFlowReturn FramePath::deliver(BufferPtr buffer, const BufferLayout* layout, Shown shown,
                                 const FrameSettings& settings, Outlet* mask) {
  // Masks get what is on the frame.
  if (shown) results_.attach(&buffer, settings, geometry_.info, mask_age(buffer.get()));
  GstFlowReturn mask_flow = GST_FLOW_NOT_LINKED;
  if (mask != nullptr) mask_flow = mask->push_mask(buffer.get(), shown, settings);
  GstFlowReturn flow;
  if (!passes_frames(source_.output()))
    flow = source_.push_mask(buffer.get(), shown, settings);
  else if (source_.output() == Output::overlay && shown && layout != nullptr)
    flow = source_.push_overlay(std::move(buffer), *layout, shown, settings);
  else
    flow = source_.push_untouched(std::move(buffer));
  return combined(flow, mask_flow);
}

}  // namespace unetseg
