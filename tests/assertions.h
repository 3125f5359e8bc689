// SPDX-License-Identifier: MIT
// Assertions on texts and on the Error that a call must throw.
#pragma once

#include <glib.h>

#include <string>

#include "model/error.h"

#include "tests/check.h"

// Unlike ck_assert_str_eq() safe with texts that live no longer than the expression.
inline void assert_equal(const std::string& text, const std::string& expected) {
  ck_assert_msg(text == expected, "'%s' instead of '%s'", text.c_str(), expected.c_str());
}

// The test fails where `call` returns.
template <typename Call>
unetseg::Error error_of(Call call) {
  try {
    call();
  } catch (const unetseg::Error& error) {
    return error;
  }
  ck_abort_msg("no error was thrown");
}

// What every message must be: one line of UTF-8, and so is the detail.
inline void assert_presentable(const unetseg::Error& error) {
  for (const std::string& text : {std::string(error.what()), error.detail()}) {
    ck_assert_msg(g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr),
                  "no UTF-8: %s", text.c_str());
    ck_assert_msg(text.find('\n') == std::string::npos, "more than a line: %s", text.c_str());
  }
}

inline void assert_mentions(const unetseg::Error& error, const std::string& words) {
  ck_assert_msg(std::string(error.what()).find(words) != std::string::npos, "'%s' is not in: %s",
                words.c_str(), error.what());
}

inline void assert_fault(const unetseg::Error& error, unetseg::Fault fault) {
  ck_assert_msg(error.fault() == fault, "fault %d instead of %d: %s",
                static_cast<int>(error.fault()), static_cast<int>(fault), error.what());
}
