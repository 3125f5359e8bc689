// SPDX-License-Identifier: MIT
// The pad for masks alone, beside the source pad: it comes and goes while frames run.
#pragma once

#include <memory>
#include <mutex>

#include "plugin/outlet.h"
#include "plugin/pointers.h"

namespace unetseg {

// Functions belong to the streaming thread, but for those said to be any thread's.
class MaskBranch {
 public:
  // Any thread. Nullptr: there is none any more. A new one takes part once it is admitted.
  void set_pad(GstPad* pad);
  PadPtr pad();

  // A pad that came since gets what it has missed: the sticky events at `sink`, in order. To be
  // called before each buffer and each serialized event; from then on the pad gets them all.
  void admit(GstPad* sink);
  // Forgets caps and pools.
  void reset();

  // These are about the pad that is admitted, and do nothing without one. False: it was refused.
  bool set_caps(GstCaps* sink_caps);
  // The event is borrowed. A stream of masks begins as a stream of its own.
  bool push_event(GstEvent* event);

  // Where masks for frames of these caps go; null where nobody takes them.
  Outlet* open(GstCaps* sink_caps);
  // What upstream shall hear of a push to the pad: nothing of one that is being released.
  GstFlowReturn heard(GstFlowReturn flow);

 private:
  std::shared_ptr<Outlet> wanted();

  std::mutex mutex_;  // guards wanted_, for as long as its pointer is copied
  std::shared_ptr<Outlet> wanted_;
  std::shared_ptr<Outlet> admitted_;
};

}  // namespace unetseg
