// SPDX-License-Identifier: MIT
// What to do about a faulty frame: pass it on, and how loudly, or give up.
#pragma once

#include <glib.h>

#include <array>

namespace unetseg {

// Kinds of faulty frames; each has a warning of its own.
enum class FrameFault {
  format,   // the buffer does not hold what its caps promise
  result,   // the network gave no usable probabilities
  timeout,  // the network took too long
};
constexpr std::size_t kFrameFaults = 3;

class FaultPolicy {
 public:
  enum class Answer { pass, pass_and_warn, give_up };

  // This many faulty frames in a row are no accident.
  static constexpr guint kMostInARow = 30;

  void reset() { *this = FaultPolicy(); }
  void good_frame() { in_a_row_ = 0; }
  // `may_pass` is the user's or the pipeline's wish, `now` monotonic microseconds.
  Answer faulty_frame(FrameFault fault, bool may_pass, gint64 now);

 private:
  guint in_a_row_ = 0;
  std::array<gint64, kFrameFaults> next_warning_ = {};  // not before, by kind
};

}  // namespace unetseg
