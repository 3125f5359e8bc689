// SPDX-License-Identifier: MIT
// Sees every allocation of the process, and who asked for it. Link heap_watch.cpp to the test: it
// takes the place of malloc in all libraries.
#pragma once

#include <cstddef>
#include <cstdlib>  // defines __GLIBC__ where it is
#include <string>
#include <vector>

// Sanitizers take that place themselves.
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_CAN_BE_WATCHED 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HEAP_CAN_BE_WATCHED 0
#endif
#endif
#ifndef HEAP_CAN_BE_WATCHED
#define HEAP_CAN_BE_WATCHED 1
#endif

namespace heap_watch {

struct Allocation {
  std::size_t bytes;
  // File name of the program or library that asked for it: of the first in the stack of calls that
  // does not allocate for others, as the C library, libstdc++ and GLib do.
  std::string asker;
  std::string calls;  // for people, a line each
};

// From the one to the other, allocations of all threads are noted: 20000 at most.
void begin();
std::vector<Allocation> end();

}  // namespace heap_watch
