// SPDX-License-Identifier: MIT
// What this process has: threads, descriptors, memory.
#pragma once

#include <sched.h>
#include <unistd.h>

#include <filesystem>

#include "tests/check.h"

inline std::size_t entries(const char* folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    (void)entry;
    ++count;
  }
  return count;
}

inline std::size_t resident_bytes() {
  std::size_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// To be compared with what is there later.
class Footprint {
 public:
  Footprint()
      : threads_(entries("/proc/self/task")),
        files_(entries("/proc/self/fd")),
        bytes_(resident_bytes()) {}

  // Threads and descriptors are the same, and memory has grown by 2 MiB at most.
  void assert_kept() const {
    ck_assert_uint_eq(entries("/proc/self/fd"), files_);
    // A thread that was joined leaves /proc a moment later.
    for (int i = 0; i < 2000 && entries("/proc/self/task") != threads_; ++i) usleep(1000);
    ck_assert_uint_eq(entries("/proc/self/task"), threads_);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these keep what is freed
    ck_assert_uint_le(resident_bytes(), bytes_ + (2u << 20));
#endif
  }

 private:
  std::size_t threads_, files_, bytes_;
};

// The only thread of this name.
class NamedThread {
 public:
  explicit NamedThread(const std::string& name) {
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string found;
      std::getline(std::ifstream(task.path() / "comm"), found);
      if (found != name) continue;
      ck_assert_msg(stat_.empty(), "two threads %s", name.c_str());
      stat_ = task.path() / "stat";
    }
    ck_assert_msg(!stat_.empty(), "no thread %s", name.c_str());
  }

  void wait_until_asleep() const {
    while (state() != 'S') sched_yield();
  }

 private:
  char state() const {
    std::string line;
    std::getline(std::ifstream(stat_), line);
    return line.at(line.rfind(')') + 2);
  }

  std::string stat_;
};
