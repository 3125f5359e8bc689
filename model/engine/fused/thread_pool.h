// SPDX-License-Identifier: MIT
// A few threads that work through one inference at a time, stage by stage.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace unetseg::fused {

// Chunks of a stage may run in any order, on any thread, at the same time; a stage begins when all
// chunks of the one before are done and its `finish` has run.
struct Stage {
  int chunks;                                            // at least 1, below 2^20
  std::function<void(int chunk, unsigned thread)> work;  // thread: 0 .. threads - 1
  std::function<void()> finish;                          // may be empty; runs once
};

// Each thread has a share of a stage's chunks, of which it takes one after the other, and then what
// is left of the others'. Chunks are bands of a picture from top to bottom, so what a thread reads
// is mostly what it has written in the stage before and has in its caches. Nobody waits for a
// thread that has nothing to do: one that the system does not let run, since others want the cores,
// takes nothing, and the rest do its share.
class ThreadPool {
 public:
  // The caller of run() is one of `threads`.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // The pool of that size that the process shares; it ends with the last that holds it.
  static std::shared_ptr<ThreadPool> shared(unsigned threads);

  unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }

  // Works through all stages and returns. Runs of several callers take turns. Throws what the first
  // chunk that threw did, after the others have ended. Allocates nothing.
  void run(const std::vector<Stage>& stages);

 private:
  struct Worker {
    std::thread thread;
    int kept_off = -1;  // core where it must not run; -1: none
  };
  void serve(unsigned thread);
  void keep_off(int core);
  void work_through(const std::vector<Stage>& stages, std::uint64_t run, unsigned thread);

  std::mutex turn_;  // held through a run; taken before mutex_

  bool take(std::uint64_t stage, int chunks, unsigned thread, int* chunk);

  // One for each thread; see the .cpp. Each has a cache line of its own.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> ticket{0};
  };

  std::atomic<std::uint64_t> stage_{0};  // run and stage; see the .cpp
  std::atomic<int> done_{0};             // chunks of the stage
  std::atomic<bool> failed_{false};

  std::mutex mutex_;  // guards what follows; no other lock is taken under it
  std::condition_variable wake_, left_;
  const std::vector<Stage>* stages_ = nullptr;
  std::uint64_t run_ = 0;
  unsigned inside_ = 0;  // workers that may look at *stages_
  bool quit_ = false;
  std::exception_ptr thrown_;

  std::vector<Worker> workers_;  // `kept_off` under turn_
  std::vector<Share> shares_;
};

}  // namespace unetseg::fused
