// SPDX-License-Identifier: MIT
// A frame between its arrival and its departure.
#pragma once

#include <optional>

#include "plugin/errors.h"
#include "plugin/fault_policy.h"
#include "plugin/frame_map.h"
#include "plugin/pointers.h"
#include "plugin/results.h"

namespace unetseg {

struct PendingFrame {
  // What its mask is.
  enum class Fate {
    gap,       // none: nothing is known of its picture
    faulty,    // none: see `fault`
    held,      // the newest one
    sampled,   // its own, once it is inferred
    inferred,  // its own
  };

  BufferPtr buffer;
  InferredFrame about;
  Fate fate = Fate::held;
  bool has_layout = false;
  BufferLayout layout;         // where has_layout: the pixels can be read
  guint slot = 0;              // from `sampled` on
  guint64 inference_time = 0;  // nanoseconds, of its batch
  FrameFault fault_kind = FrameFault::format;
  std::optional<Failure> fault;

  void fail(FrameFault kind, Failure failure) {
    fate = Fate::faulty;
    fault_kind = kind;
    fault = std::move(failure);
  }
};

}  // namespace unetseg
