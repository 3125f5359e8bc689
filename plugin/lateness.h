// SPDX-License-Identifier: MIT
// What sinks report by QoS events: from when on a frame is still in time.
#pragma once

#include <gst/gst.h>

#include <atomic>

namespace unetseg {

// Any thread may call any function.
class Lateness {
 public:
  void reset() { earliest_ = GST_CLOCK_TIME_NONE; }
  // `running_time` of the frame that the sink got and how far it came after its time (before it,
  // where negative), nanoseconds.
  void report(GstClockTime running_time, GstClockTimeDiff late);
  // False where nothing was reported.
  bool is_late(GstClockTime running_time) const;

 private:
  std::atomic<GstClockTime> earliest_{GST_CLOCK_TIME_NONE};  // running time
};

}  // namespace unetseg
