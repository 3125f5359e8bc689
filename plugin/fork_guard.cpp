// SPDX-License-Identifier: MIT
#include "plugin/fork_guard.h"

#include <pthread.h>

#include <atomic>

namespace unetseg {
namespace {

std::atomic<bool> forked{false};

}  // namespace

bool is_forked_child() {
  return forked.load(std::memory_order_relaxed);
}

void watch_forks() {
  static const int watching = pthread_atfork(nullptr, nullptr, [] { forked = true; });
  (void)watching;  // without memory for it forks go unseen, as they would without this
}

}  // namespace unetseg
