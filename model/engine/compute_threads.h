// SPDX-License-Identifier: MIT
// The threads that sessions of one process share for inference on the CPU.
#pragma once

#include <glib.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace unetseg {

// OpenMP keeps a team of threads for each thread that computes with it. Would each session compute
// on a thread of its own, eight of them on eight cores had 64 threads that wait for each other's
// cores. So sessions hand their work over: one thread leads a team of `team`, and there are as many
// such teams as the cores have room for, at least one. Jobs begin in the order they came in.
//
// Teams are started when there is work for them, and end with the last that holds the object.
class ComputeThreads {
 public:
  // Leaders call `on_start` first, to set up what a library keeps for each thread.
  ComputeThreads(unsigned team, std::function<void()> on_start);
  ~ComputeThreads();
  ComputeThreads(const ComputeThreads&) = delete;
  ComputeThreads& operator=(const ComputeThreads&) = delete;

  // Those of the process for teams of this size; `on_start` is used where there are none yet.
  static std::shared_ptr<ComputeThreads> shared(unsigned team, std::function<void()> on_start);

  // Runs `job` on a leader and returns when it is done, or throws what it threw. Any thread but the
  // leaders. Throws Error(failed) where no thread can be started.
  void run(const std::function<void()>& job);

 private:
  struct Job {
    const std::function<void()>* work;
    bool done;
    std::exception_ptr thrown;
  };
  void start_leader();
  void lead();

  const std::function<void()> on_start_;
  const std::size_t most_leaders_;

  // Guards all below. No other lock is taken while it is held, and no job runs under it.
  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<Job*> waiting_;
  std::size_t idle_ = 0;  // leaders that wait for work
  std::vector<GThread*> leaders_;
  bool quit_ = false;
};

}  // namespace unetseg
