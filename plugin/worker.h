// SPDX-License-Identifier: MIT
// One long-lived thread that runs one job at a time, for libraries that keep state per thread.
#pragma once

#include <glib.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>

namespace unetseg {

// What a job throws is thrown again to whoever waits for it, and dropped with the job where nobody
// does. Flushing ends the waits of post(), wait() and wait_until_idle(), not the job: the next
// post() waits for it.
class Worker {
 public:
  using Job = std::function<void()>;

  // Starts the thread, flushing. Throws std::runtime_error where there can be no more threads.
  Worker();
  // Waits for the job that is running.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs `job` and returns when it is done, flushing or not.
  void run(const Job& job);

  // Whether a job was handed over and is not done.
  bool is_busy();
  // Hands `job` over as soon as the thread is free. False: flushing, and the job will not run.
  bool post(const Job& job);
  // Waits until the job that was posted last is done. False: flushing, and it may still run.
  bool wait();
  // Waits until no job is running, whatever it threw. False: flushing, and one may still run.
  bool wait_until_idle();
  // Waits until no job is running, flushing or not, whatever it threw.
  void drain();

  void set_flushing(bool flushing);

 private:
  void loop();
  void hand_over(const Job& job);
  void rethrow();

  // Guards all below. No other lock is taken while it is held, and no job runs under it.
  std::mutex mutex_;
  std::condition_variable changed_;
  Job job_;
  bool busy_ = false;  // a job was handed over and is not done
  bool flushing_ = true;
  bool quit_ = false;
  std::exception_ptr thrown_;  // by the last job
  GThread* thread_;
};

}  // namespace unetseg
