// SPDX-License-Identifier: MIT
// Sees every operator new of the test program. Include it in one source file only.
#pragma once

#include <cstdlib>
#include <functional>
#include <new>

namespace allocation_watch {

inline std::size_t largest = 0;  // single allocation so far; set to 0 to start anew
// Called once, in front of the next allocation of exactly `trigger_bytes`.
inline std::size_t trigger_bytes = 0;
inline std::function<void()> on_trigger;

inline void* allocate(std::size_t bytes) {
  if (bytes > largest) largest = bytes;
  if (bytes == trigger_bytes && on_trigger) {
    const std::function<void()> once = std::move(on_trigger);
    on_trigger = nullptr;
    once();
  }
  if (void* memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}

}  // namespace allocation_watch

// GCC sees through one of the pair below and not through the other.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(std::size_t bytes) {
  return allocation_watch::allocate(bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
