// SPDX-License-Identifier: MIT
#include "plugin/lateness.h"

namespace unetseg {

void Lateness::report(GstClockTime running_time, GstClockTimeDiff late) {
  if (!GST_CLOCK_TIME_IS_VALID(running_time)) return;
  // A late frame makes the next ones late as well: skip twice what it was behind, to catch up.
  const GstClockTimeDiff earliest =
      static_cast<GstClockTimeDiff>(running_time) + (late > 0 ? 2 * late : late);
  earliest_ = earliest > 0 ? static_cast<GstClockTime>(earliest) : 0;
}

bool Lateness::is_late(GstClockTime running_time) const {
  const GstClockTime earliest = earliest_;
  return GST_CLOCK_TIME_IS_VALID(earliest) && GST_CLOCK_TIME_IS_VALID(running_time) &&
         running_time < earliest;
}

}  // namespace unetseg
