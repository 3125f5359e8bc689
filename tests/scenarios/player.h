// SPDX-License-Identifier: MIT
// A pipeline that a scenario is played on.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/scenarios/pad_checker.h"
#include "tests/scenarios/script.h"

// Functions throw ScenarioError where what they do fails or takes longer than 20 seconds.
class Player {
 public:
  Player() = default;
  ~Player();
  Player(const Player&) = delete;
  Player& operator=(const Player&) = delete;

  // Takes an action of the script, and looks at what the checkers have found meanwhile.
  void play(const Action& action);
  // After the last action: fails where there was an error.
  void finish();

 private:
  void launch(const std::string& description);
  void set_state(GstState state);
  void wait_for_frames(guint64 n);
  void wait_for_end();
  void seek(const Action& action, GstSeekFlags flags);
  void send_from_source(GstEvent* event);
  void set_caps(const Action& action);
  void set_property(const Action& action);
  void expect(const Action& action);
  void expect_error(const std::string& text);
  void expect_violation(const std::string& text);
  guint64 quantity(const std::string& name);

  GstElement* element(const std::string& name) const;
  void watch(const std::string& name, const std::string& element);
  void collect_errors();
  void compare(bool has_ended);
  void collect_violations();
  template <typename Condition>
  void wait_until(const std::string& what, Condition condition);

  Violations violations_;            // outlives the checkers
  std::vector<std::string> found_;   // of them, not expected yet
  std::vector<std::string> errors_;  // of elements, not expected yet
  bool has_ended_ = false;
  GstElement* pipeline_ = nullptr;
  GstBus* bus_ = nullptr;
  std::unique_ptr<PadChecker> in_, src_, mask_;
};
