// SPDX-License-Identifier: MIT
#include "trainer/commands/interrupt.h"

#include <csignal>
#include <unistd.h>

namespace unetseg::trainer {
namespace {

std::atomic<bool> stop{false};
volatile std::sig_atomic_t received = 0;

void on_signal(int number) {
  if (received != 0) _exit(128 + number);
  received = number;
  stop = true;  // lock-free, hence allowed here
}

}  // namespace

const std::atomic<bool>& stop_on_signal() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A terminal that closes asks to stop too, unless nohup said otherwise.
  struct sigaction inherited = {};
  sigaction(SIGHUP, nullptr, &inherited);
  if (inherited.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);
  return stop;
}

int interrupted_exit_code() {
  return received == 0 ? 0 : 128 + received;
}

}  // namespace unetseg::trainer
