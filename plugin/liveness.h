// SPDX-License-Identifier: MIT
// Whether the pipeline is live, as its source says.
#pragma once

#include <gst/gst.h>

#include <atomic>

namespace unetseg {

// Any thread may call any function. What was learnt once holds until it is forgotten: a pipeline
// does not become live while it runs.
class Liveness {
 public:
  void forget() { state_ = State::unknown; }
  // Asks the peer of `sink`, unless it is known already. What has not started yet may not answer:
  // it stays unknown then.
  void learn(GstPad* sink);
  // There is reason to ask again; learn_if_due() does, with the next frame.
  void set_due() { is_due_ = true; }
  void learn_if_due(GstPad* sink);

  bool is_live() const { return is_live_or(false); }
  // `otherwise`: where it is unknown.
  bool is_live_or(bool otherwise) const {
    const State state = state_;
    return state == State::unknown ? otherwise : state == State::live;
  }

 private:
  enum class State { unknown, live, not_live };

  std::atomic<State> state_{State::unknown};
  std::atomic<bool> is_due_{false};
};

}  // namespace unetseg
