// SPDX-License-Identifier: MIT
#include "tests/plugin/heap_watch.h"

#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tests/check.h"

namespace heap_watch {
namespace {

constexpr int kMost = 20000, kDepth = 20;

struct Note {
  std::size_t bytes;
  const void* caller;
  void* calls[kDepth];
  int depth;
};

Note notes[kMost];
std::atomic<int> noted{0};
std::atomic<bool> watches{false};
thread_local bool is_noting = false;

[[maybe_unused]] void note(std::size_t bytes, const void* caller) {
  if (!watches || is_noting) return;
  is_noting = true;  // looking at the stack may allocate
  const int i = noted++;
  if (i < kMost) {
    notes[i].bytes = bytes;
    notes[i].caller = caller;
    notes[i].depth = backtrace(notes[i].calls, kDepth);
  }
  is_noting = false;
}

// Where a call returns to: a file, and the nearest symbol or the offset in the file.
struct Place {
  std::string file, symbol;
};

Place place_of(void* call) {
  char* at = static_cast<char*>(call) - 1;  // within the call
  Dl_info info = {};
  if (dladdr(at, &info) == 0 || info.dli_fname == nullptr) return {"?", "?"};
  const char* slash = std::strrchr(info.dli_fname, '/');
  char offset[32];
  std::snprintf(offset, sizeof offset, "+0x%tx", at - static_cast<char*>(info.dli_fbase));
  return {slash != nullptr ? slash + 1 : info.dli_fname,
          info.dli_sname != nullptr ? info.dli_sname : offset};
}

bool allocates_for_others(const std::string& file) {
  for (const char* name : {"libc.so", "libstdc++.so", "libglib-2.0.so"})
    if (file.rfind(name, 0) == 0) return true;
  return false;
}

Allocation read(const Note& note) {
  Allocation allocation = {note.bytes, "", ""};
  void* const* const last = note.calls + note.depth;
  for (void* const* call = std::find(note.calls, last, note.caller); call != last; ++call) {
    const Place place = place_of(*call);
    allocation.calls += "\n  " + place.file + " " + place.symbol;
    if (allocation.asker.empty() && !allocates_for_others(place.file))
      allocation.asker = place.file;
  }
  return allocation;
}

}  // namespace

void begin() {
  void* calls[2];
  backtrace(calls, 2);  // loads a library when it is first called
  noted = 0;
  watches = true;
}

std::vector<Allocation> end() {
  watches = false;
  ck_assert_int_le(noted, kMost);
  std::vector<Allocation> all;
  std::transform(notes, notes + noted, std::back_inserter(all), read);
  return all;
}

}  // namespace heap_watch

#if HEAP_CAN_BE_WATCHED

using heap_watch::note;

extern "C" {

void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t bytes) noexcept {
  note(bytes, __builtin_return_address(0));
  return __libc_malloc(bytes);
}

void* calloc(std::size_t n, std::size_t bytes) noexcept {
  note(n * bytes, __builtin_return_address(0));
  return __libc_calloc(n, bytes);
}

void* realloc(void* memory, std::size_t bytes) noexcept {
  note(bytes, __builtin_return_address(0));
  return __libc_realloc(memory, bytes);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
  note(bytes, __builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  note(bytes, __builtin_return_address(0));
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t bytes) noexcept {
  note(bytes, __builtin_return_address(0));
  void* found = __libc_memalign(alignment, bytes);
  if (found == nullptr) return ENOMEM;
  *memory = found;
  return 0;
}
}

#endif
