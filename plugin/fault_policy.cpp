// SPDX-License-Identifier: MIT
#include "plugin/fault_policy.h"

namespace unetseg {

FaultPolicy::Answer FaultPolicy::faulty_frame(FrameFault fault, bool may_pass, gint64 now) {
  if (!may_pass || ++in_a_row_ >= kMostInARow) return Answer::give_up;
  gint64& next = next_warning_[static_cast<std::size_t>(fault)];
  if (now < next) return Answer::pass;
  next = now + G_USEC_PER_SEC;
  return Answer::pass_and_warn;
}

}  // namespace unetseg
