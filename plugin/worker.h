// SPDX-License-Identifier: MIT
// One long-lived thread that runs one job at a time, for libraries that keep state per thread.
#pragma once

#include <glib.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

namespace unetseg {

// How a wait has ended: as it should, or before.
enum class Waited { done, flushing, late };

// When a wait ends at the latest; none: it lasts as long as it takes.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;

// `nanoseconds` from now.
Deadline in_time(guint64 nanoseconds);

// What a job throws is thrown again to whoever waits for it, and dropped with the job where nobody
// does. Flushing ends the waits of post(), wait() and wait_until_idle(), and deadlines those that
// have one; not the job: the next post() waits for it.
class Worker {
 public:
  using Job = std::function<void()>;

  // Starts the thread, flushing. Throws std::runtime_error where there can be no more threads.
  Worker();
  // Waits for the job that is running, unless the thread was left.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs `job` and returns when it is done, flushing or not.
  void run(const Job& job);

  // Whether a job was handed over and is not done.
  bool is_busy();
  // Hands `job` over as soon as the thread is free. False: flushing, and the job will not run.
  bool post(const Job& job);
  // Waits until the job that was posted last is done. Otherwise it may still run.
  Waited wait(Deadline deadline = {});
  // Waits until no job is running, whatever it threw. Otherwise one may still run.
  Waited wait_until_idle(Deadline deadline = {});
  // Waits until no job is running, flushing or not, whatever it threw. False: one still is.
  bool drain(Deadline deadline = {});

  // For a job that does not return: nobody waits for the thread any more. It ends as soon as the
  // job is done, if ever, with a call of `last`, which destroys this object; until then it must
  // live.
  void leave(const Job& last);

  void set_flushing(bool flushing);

 private:
  void loop();
  void hand_over(const Job& job);
  Waited wait_for(std::unique_lock<std::mutex>& lock, const Deadline& deadline, bool flushes);
  void rethrow();

  // Guards all below. No other lock is taken while it is held, and no job runs under it.
  std::mutex mutex_;
  std::condition_variable changed_;
  Job job_;
  bool busy_ = false;  // a job was handed over and is not done
  bool flushing_ = true;
  bool quit_ = false;
  Job last_;                   // where the thread was left
  std::exception_ptr thrown_;  // by the last job
  GThread* thread_;
};

}  // namespace unetseg
