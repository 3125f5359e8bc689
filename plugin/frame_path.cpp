// SPDX-License-Identifier: MIT
#include "plugin/frame_path.h"

#include <algorithm>
#include <string>
#include <utility>

#include "plugin/caps.h"
#include "plugin/debug.h"

namespace unetseg {
namespace {

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

Failure too_long(const FrameSettings& settings) {
  return {
      GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_FAILED,
      "An inference has taken longer than inference-timeout and was given up: set a longer one, "
      "or take a smaller model or a faster device",
      "inference-timeout=" + std::to_string(settings.inference_timeout)};
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

FramePath::FramePath(GstElement* element, GstPad* source, Statistics* statistics)
    : element_(element),
      statistics_(statistics),
      results_(element),
      segmenter_(statistics, &results_),
      source_(source) {
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  pending_.reserve(kMostInABatch);
}

void FramePath::reset() {
  faults_.reset();
  geometry_ = {};
  sink_caps_.reset();
  source_.reset();
  masks_.reset();
  gst_segment_init(&segment_, GST_FORMAT_UNDEFINED);
  frame_duration_ = 0;
  frames_ = 0;
  discontinue();
  segmenter_.reset();
}

void FramePath::discontinue() {
  lateness_.reset();
  drop_pending();
  segmenter_.discontinue();
}

void FramePath::set_segment(const GstSegment& segment) {
  segment_ = segment;
  discontinue();
}

bool FramePath::set_caps(GstCaps* caps, Output output) {
  geometry_ = {};
  sink_caps_.reset();
  discontinue();
  source_.reset();
  masks_.reset();
  GstVideoInfo info;
  const std::shared_ptr<CudaDevice>& device = segmenter_.model().cuda();
  const FrameMemory memory = device ? FrameMemory::system_or_cuda : FrameMemory::system;
  if (!read_sink_caps(caps, output, memory, &info)) return false;
  source_.use(device);
  if (!source_.set_caps(caps, output)) return false;
  sink_caps_.reset(gst_caps_ref(caps));
  in_cuda_memory_ = are_in_cuda_memory(caps);
  warned_of_copies_ = false;
  if (!masks_.set_caps(caps)) return false;
  frame_duration_ = info.fps_n > 0
                        ? gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(info.fps_d),
                                                static_cast<guint64>(info.fps_n))
                        : 0;
  return make_geometry(info, &geometry_);
}

bool FramePath::set_output(Output output) {
  return source_.would_take(sink_caps_.get(), output) && source_.set_caps(sink_caps_.get(), output);
}

// Frames of unknown length would add an unknown latency, and no latency is wanted where it is live.
guint FramePath::batch_size(bool live) {
  if (live || frame_duration_ == 0) return 1;
  return std::min(batch_limit_, segmenter_.model().settings().batch_size);
}

GstFlowReturn FramePath::process(BufferPtr buffer, const FrameSettings& settings, bool live) {
  ++frames_;
  if (!has_caps()) {
    GST_WARNING_OBJECT(element_, "a buffer without usable caps");
    return GST_FLOW_NOT_NEGOTIATED;
  }
  const bool latest = is_latest(settings.mode, live);
  const bool breaks = begins_anew(buffer.get(), latest, settings);
  last_pts_ = GST_BUFFER_PTS(buffer.get());
  if (breaks || latest) {
    const GstFlowReturn flow = finish(settings, live);
    if (flow != GST_FLOW_OK) return flow;
  }
  if (breaks) discontinue();

  Outlet* mask = masks_.open(sink_caps_.get());  // a mask that nobody takes is not made
  PendingFrame frame = examine(std::move(buffer));
  // In every-frame mode: what was begun in the other must not be taken for this frame's mask.
  if (!collect(!latest, &frame, settings, live)) return GST_FLOW_FLUSHING;
  const bool is_held = frame.fate == PendingFrame::Fate::held;
  const bool is_due = is_held && segmenter_.is_turn(settings);
  const bool infers = is_due && !segmenter_.is_busy() &&
                      (latest || !comes_too_late(frame.buffer.get(), settings, mask));
  if (is_due && !infers) statistics_->count_skipped();
  const bool follows = is_held && latest && settings.motion_compensation && segmenter_.can_follow();
  if (infers || follows) sample(&frame, settings);
  if (frame.fate == PendingFrame::Fate::sampled) {
    if (follows) segmenter_.follow(frame.slot);
    if (!infers) {
      segmenter_.free_slot(frame.slot);
      frame.fate = PendingFrame::Fate::held;
    }
  }
  if (latest) return send_latest(&frame, settings, live, mask);
  pending_.push_back(std::move(frame));
  return pending_.size() < batch_size(live) ? GST_FLOW_OK : finish(settings, live);
}

// Whether what was before has nothing to do with this frame. In latest mode lost frames break
// nothing for as long as a mask may be shown: a leaky queue before the element flags the frame
// after each that it drops. The picture goes on, and motion compensation sees where it does not.
bool FramePath::begins_anew(GstBuffer* buffer, bool latest, const FrameSettings& settings) const {
  if (!GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DISCONT)) return false;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (!latest || !GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(last_pts_) ||
      pts < last_pts_)
    return true;
  if (settings.max_mask_age == 0) return false;
  const guint64 most = std::max(segmenter_.usual_mask_age(),
                                static_cast<guint64>(std::max<gint64>(0, settings.max_mask_age)));
  return pts - last_pts_ > most;
}

// Whether a frame that waits for its mask will be shown too late anyway. Only an overlay may then
// do with an older mask, but for a while: a sink that is always late is late for another reason.
// Who asks for masks wants each frame's own.
bool FramePath::comes_too_late(GstBuffer* buffer, const FrameSettings& settings,
                               const Outlet* mask) {
  if (!settings.qos || !segmenter_.shown() || source_.output() != Output::overlay ||
      mask != nullptr || segment_.format != GST_FORMAT_TIME)
    return false;
  const GstClockTime age = segmenter_.mask_age(GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(age) || age > segmenter_.usual_mask_age()) return false;
  return lateness_.is_late(
      gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer)));
}

PendingFrame FramePath::examine(BufferPtr buffer) {
  PendingFrame frame;
  frame.about = describe(buffer.get());
  const char* why = nullptr;
  if (GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_GAP))
    frame.fate = PendingFrame::Fate::gap;
  else if (find_layout(buffer.get(), geometry_, &frame.layout, &why))
    frame.has_layout = true;
  else
    frame.fail(FrameFault::format, bad_buffer(why, buffer.get()));
  frame.buffer = std::move(buffer);
  return frame;
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

// Into a slot of the frame's own, or the frame is faulty.
void FramePath::sample(PendingFrame* frame, const FrameSettings& settings) {
  const CudaDevice* device = segmenter_.model().cuda().get();
  MappedFrame mapped;
  if (!mapped.map(frame->buffer.get(), geometry_, frame->layout, GST_MAP_READ, device)) {
    frame->fail(FrameFault::format, bad_buffer("its memory cannot be mapped", frame->buffer.get()));
    frame->has_layout = false;
    return;
  }
  if (in_cuda_memory_ && device != nullptr && mapped.view().memory == UNETSEG_MEMORY_SYSTEM)
    warn_of_copies();
  const guint slot = segmenter_.take_slot();
  try {
    segmenter_.model().sample(slot, mapped.view(), settings.fit);
  } catch (const Failure& failure) {
    segmenter_.free_slot(slot);
    if (!is_of_one_frame(failure)) throw;
    frame->fail(FrameFault::result, failure);
    return;
  }
  frame->slot = slot;
  frame->fate = PendingFrame::Fate::sampled;
}

// Once for these caps. That the network has moved to the CPU is no news to whoever asked for it.
void FramePath::warn_of_copies() {
  if (warned_of_copies_) return;
  warned_of_copies_ = true;
  post_warning(element_,
               {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                "Frames lie in GPU memory that the network does not share, and are copied "
                "through the processor's: give the elements before unetseg its device, and "
                "no CUDA context of their own",
                "the CUDA memory is of another context than the device's primary one"});
}

// Takes what was begun in latest mode, if only after it is done; `frame` is the first to show it,
// and faulty where that has failed. False: flushing.
bool FramePath::collect(bool wait, PendingFrame* frame, const FrameSettings& settings, bool live) {
  if (frame->fate != PendingFrame::Fate::held) return true;
  if (live && segmenter_.is_stuck()) wait = false;  // a live frame does not wait in vain twice
  bool taken = false;
  try {
    const Waited waited = segmenter_.collect(wait, settings, &taken);
    if (waited == Waited::flushing) return false;
    if (waited == Waited::late && wait)
      frame->fail(FrameFault::timeout, too_long(settings));
    else if (waited == Waited::late)  // the frame itself goes on with the mask before
      answer_fault(FrameFault::timeout, too_long(settings), settings, live);
  } catch (const Failure& failure) {
    if (!is_of_one_frame(failure)) throw;
    frame->fail(FrameFault::result, failure);
  }
  if (taken && settings.post_messages)
    results_.post(*segmenter_.shown(), settings, geometry_.info,
                  segmenter_.mask_age(frame->about.pts));
  return true;
}

void FramePath::end(const FrameSettings& settings) {
  PendingFrame none;
  none.about.pts = last_pts_;
  if (has_caps()) collect(true, &none, settings, false);
  if (none.fault) post_warning(element_, *none.fault);  // no frame is left to be faulty
}

GstFlowReturn FramePath::send_latest(PendingFrame* frame, const FrameSettings& settings, bool live,
                                     Outlet* mask) {
  if (frame->fate == PendingFrame::Fate::faulty) return pass_fault(frame, settings, live, mask);
  if (frame->fate == PendingFrame::Fate::gap) {
    statistics_->count(Outcome::gap);
    return deliver(frame, std::nullopt, settings, mask);
  }
  if (frame->fate == PendingFrame::Fate::sampled) {
    if (!segmenter_.start(frame->slot, frame->about, settings)) return GST_FLOW_FLUSHING;
    statistics_->count(Outcome::inferred);
  } else {
    statistics_->count(segmenter_.shown() ? Outcome::held : Outcome::gap);
  }
  faults_.good_frame();
  return deliver(frame, segmenter_.shown_at(frame->about.pts, settings), settings, mask);
}

GstFlowReturn FramePath::finish(const FrameSettings& settings, bool live) {
  if (pending_.empty()) return GST_FLOW_OK;
  // However this ends, these frames are done with.
  struct Guard {
    FramePath* path;
    ~Guard() { path->drop_pending(); }
  } guard{this};
  if (!infer_pending(settings)) return GST_FLOW_FLUSHING;
  Outlet* mask = masks_.open(sink_caps_.get());  // a mask that nobody takes is not made
  for (PendingFrame& frame : pending_) {
    const GstFlowReturn flow = send_pending(&frame, settings, live, mask);
    if (flow != GST_FLOW_OK) return flow;
  }
  return GST_FLOW_OK;
}

void FramePath::drop_pending() {
  for (const PendingFrame& frame : pending_)
    if (frame.fate == PendingFrame::Fate::sampled || frame.fate == PendingFrame::Fate::inferred)
      segmenter_.free_slot(frame.slot);
  pending_.clear();
}

// False: flushing.
bool FramePath::infer_pending(const FrameSettings& settings) {
  PendingFrame* frames[kMostInABatch];
  guint n = 0;
  for (PendingFrame& frame : pending_)
    if (frame.fate == PendingFrame::Fate::sampled) frames[n++] = &frame;
  if (n == 0) return true;
  if (!infer(frames, n, settings)) return false;
  // One of several has failed, and spoilt the others': each on its own.
  for (guint i = 0; i < n; ++i)
    if (frames[i]->fate == PendingFrame::Fate::sampled && !infer(frames + i, 1, settings))
      return false;
  return true;
}

// Together. A failure of one frame is its fate, a failure of several changes nothing. False:
// flushing.
bool FramePath::infer(PendingFrame* const* frames, guint n, const FrameSettings& settings) {
  guint slots[kMostInABatch];
  for (guint i = 0; i < n; ++i) slots[i] = frames[i]->slot;
  guint64 nanoseconds = 0;
  try {
    const Waited waited = segmenter_.infer(slots, n, settings, &nanoseconds);
    if (waited == Waited::flushing) return false;
    if (waited == Waited::late) {
      // One fault, however many frames it costs their masks.
      for (guint i = 0; i < n; ++i) {
        segmenter_.free_slot(slots[i]);
        frames[i]->fate = PendingFrame::Fate::gap;
      }
      frames[0]->fail(FrameFault::timeout, too_long(settings));
      return true;
    }
  } catch (const Failure& failure) {
    if (!is_of_one_frame(failure)) throw;
    if (n > 1) return true;
    segmenter_.free_slot(frames[0]->slot);
    frames[0]->fail(FrameFault::result, failure);
    return true;
  }
  for (guint i = 0; i < n; ++i) {
    frames[i]->fate = PendingFrame::Fate::inferred;
    frames[i]->inference_time = nanoseconds;
  }
  return true;
}

GstFlowReturn FramePath::send_pending(PendingFrame* frame, const FrameSettings& settings, bool live,
                                      Outlet* mask) {
  switch (frame->fate) {
    case PendingFrame::Fate::gap:
      statistics_->count(Outcome::gap);
      return deliver(frame, std::nullopt, settings, mask);
    case PendingFrame::Fate::faulty:
      // What comes next has no mask to go by.
      if (frame->fault_kind != FrameFault::format) segmenter_.drop_mask();
      return pass_fault(frame, settings, live, mask);
    case PendingFrame::Fate::inferred:
      frame->fate = PendingFrame::Fate::held;  // its slot is the segmenter's now
      segmenter_.show(frame->slot, frame->about, frame->inference_time, settings);
      if (settings.post_messages)
        results_.post(*segmenter_.shown(), settings, geometry_.info,
                      segmenter_.mask_age(frame->about.pts));
      statistics_->count(Outcome::inferred);
      break;
    default:
      statistics_->count(segmenter_.shown() ? Outcome::held : Outcome::gap);
      break;
  }
  faults_.good_frame();
  return deliver(frame, segmenter_.shown(), settings, mask);
}

// A warning, nothing where there was one just now, or a throw.
void FramePath::answer_fault(FrameFault kind, const Failure& failure, const FrameSettings& settings,
                             bool live) {
  const bool may_pass =
      settings.on_error == OnError::automatic ? live : settings.on_error == OnError::pass;
  switch (faults_.faulty_frame(kind, may_pass, g_get_monotonic_time())) {
    case FaultPolicy::Answer::give_up:
      throw failure;
    case FaultPolicy::Answer::pass_and_warn:
      post_warning(element_, failure);
      break;
    case FaultPolicy::Answer::pass:
      break;
  }
}

GstFlowReturn FramePath::pass_fault(PendingFrame* frame, const FrameSettings& settings, bool live,
                                    Outlet* mask) {
  statistics_->count(Outcome::faulty);
  answer_fault(frame->fault_kind, *frame->fault, settings, live);
  // Nobody downstream could read a buffer that does not hold its frame.
  if (frame->fault_kind == FrameFault::format && passes_frames(source_.output()))
    return mask == nullptr ? GST_FLOW_OK
                           : deliver_masks(frame, std::nullopt, settings, nullptr, mask);
  return deliver(frame, std::nullopt, settings, mask);
}

// Masks of a frame that itself does not leave. It is let go of before they are pushed: sinks wait
// for the time to show them, and cameras have few buffers.
GstFlowReturn FramePath::deliver_masks(PendingFrame* frame, const Shown& shown,
                                       const FrameSettings& settings, Outlet* source,
                                       Outlet* mask) {
  // A source that gets nothing goes on, whatever becomes of the masks.
  GstFlowReturn flow = source == nullptr ? GST_FLOW_OK : GST_FLOW_NOT_LINKED;
  GstFlowReturn mask_flow = GST_FLOW_NOT_LINKED;
  BufferPtr made, made_mask;
  if (mask != nullptr)
    mask_flow = mask->make_mask(frame->buffer.get(), shown, settings, &made_mask);
  if (source != nullptr) flow = source->make_mask(frame->buffer.get(), shown, settings, &made);
  frame->buffer.reset();
  if (made_mask) mask_flow = mask->push(std::move(made_mask));
  if (made) flow = source->push(std::move(made));
  return combined(flow, masks_.heard(mask_flow));
}

// Sends a frame out by every pad.
GstFlowReturn FramePath::deliver(PendingFrame* frame, const Shown& shown,
                                 const FrameSettings& settings, Outlet* mask) {
  if (shown) {
    const GstClockTime age = segmenter_.mask_age(frame->about.pts);
    if (GST_CLOCK_TIME_IS_VALID(age)) statistics_->add_mask_age(age);
    // Masks get what is on the frame.
    results_.attach(&frame->buffer, *shown, settings, geometry_.info, age);
  }
  const Output output = source_.output();
  const bool is_cut_out = output == Output::cutout && frame->has_layout;
  if (!passes_frames(output) && !is_cut_out)
    return deliver_masks(frame, shown, settings, &source_, mask);
  GstFlowReturn mask_flow = GST_FLOW_NOT_LINKED;
  if (mask != nullptr) {
    BufferPtr made;
    mask_flow = mask->make_mask(frame->buffer.get(), shown, settings, &made);
    if (made) mask_flow = mask->push(std::move(made));
    mask_flow = masks_.heard(mask_flow);
  }
  GstFlowReturn flow;
  if (is_cut_out)
    flow = source_.push_cutout(std::move(frame->buffer), frame->layout, shown, settings);
  else if (output == Output::overlay && shown && frame->has_layout)
    flow = source_.push_overlay(std::move(frame->buffer), frame->layout, shown, settings);
  else
    flow = source_.push_untouched(std::move(frame->buffer),
                                  frame->has_layout ? &frame->layout : nullptr);
  return combined(flow, mask_flow);
}

}  // namespace unetseg
