// SPDX-License-Identifier: MIT
#include "plugin/mask_branch.h"

#include "plugin/mask_stream.h"

namespace unetseg {

void MaskBranch::set_pad(GstPad* pad) {
  std::shared_ptr<Outlet> outlet;
  if (pad != nullptr) outlet = std::make_shared<Outlet>(pad);
  const std::lock_guard<std::mutex> lock(mutex_);
  wanted_.swap(outlet);
}

PadPtr MaskBranch::pad() {
  const std::shared_ptr<Outlet> outlet = wanted();
  return PadPtr(outlet ? GST_PAD(gst_object_ref(outlet->pad())) : nullptr);
}

std::shared_ptr<Outlet> MaskBranch::wanted() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return wanted_;
}

void MaskBranch::admit(GstPad* sink) {
  std::shared_ptr<Outlet> outlet = wanted();
  if (outlet == admitted_) return;
  admitted_ = std::move(outlet);
  if (admitted_) store_mask_events(sink, admitted_->pad());
}

void MaskBranch::reset() {
  if (admitted_) admitted_->reset();
}

bool MaskBranch::set_caps(GstCaps* sink_caps) {
  // One that is being released takes nothing, and that is nobody's fault.
  return !admitted_ || admitted_->set_caps(sink_caps, Output::mask) || wanted() != admitted_;
}

bool MaskBranch::push_event(GstEvent* event) {
  if (!admitted_) return false;
  EventPtr own = GST_EVENT_TYPE(event) == GST_EVENT_STREAM_START ? mask_stream_start(event)
                                                                 : EventPtr(gst_event_ref(event));
  return gst_pad_push_event(admitted_->pad(), own.release());
}

Outlet* MaskBranch::open(GstCaps* sink_caps) {
  if (!admitted_ || !gst_pad_is_linked(admitted_->pad())) return nullptr;
  if (!admitted_->has_caps() && !admitted_->set_caps(sink_caps, Output::mask)) return nullptr;
  return admitted_.get();
}

GstFlowReturn MaskBranch::heard(GstFlowReturn flow) {
  return flow == GST_FLOW_FLUSHING && wanted() != admitted_ ? GST_FLOW_NOT_LINKED : flow;
}

}  // namespace unetseg
