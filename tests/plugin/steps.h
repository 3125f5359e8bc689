// SPDX-License-Identifier: MIT
// Inferences that last until the test says so, by the thousand.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include "tests/check.h"

class Steps {
 public:
  Steps() {
    for (auto& ends : pipes_) ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
  }
  ~Steps() {
    for (const auto& ends : pipes_)
      for (const int end : ends) close(end);
  }
  Steps(const Steps&) = delete;
  Steps& operator=(const Steps&) = delete;

  std::string script() const {
    return "fake:steps=" + std::to_string(pipes_[0][1]) + ":" + std::to_string(pipes_[1][0]) + ":" +
           std::to_string(pipes_[2][1]);
  }
  // Once for each inference, in this order.
  void wait_until_begun() { take(pipes_[0][0]); }
  void go() {
    const char byte = 0;
    ck_assert_int_eq(write(pipes_[1][1], &byte, 1), 1);
  }
  void wait_until_done() { take(pipes_[2][0]); }

 private:
  static void take(int pipe) {
    char byte = 0;
    ck_assert_int_eq(read(pipe, &byte, 1), 1);
  }

  int pipes_[3][2];
};
