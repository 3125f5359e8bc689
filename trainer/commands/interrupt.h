// SPDX-License-Identifier: MIT
// Ctrl-C, SIGTERM and the SIGHUP of a terminal that closes: the first asks to stop, the second
// leaves at once.
#pragma once

#include <atomic>

namespace unetseg::trainer {

// Installs the handlers and returns the flag that the first signal sets. Files are written
// atomically, so that leaving at once leaves them valid.
const std::atomic<bool>& stop_on_signal();

// 128 + the signal that set the flag; 0 where none did.
int interrupted_exit_code();

}  // namespace unetseg::trainer
