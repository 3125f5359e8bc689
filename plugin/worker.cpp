// SPDX-License-Identifier: MIT
#include "plugin/worker.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "plugin/pointers.h"

namespace unetseg {

Deadline in_time(guint64 nanoseconds) {
  return std::chrono::steady_clock::now() + std::chrono::nanoseconds(nanoseconds);
}

Worker::Worker() {
  GError* error = nullptr;
  const auto entry = [](gpointer self) -> gpointer {
    static_cast<Worker*>(self)->loop();
    return nullptr;
  };
  thread_ = g_thread_try_new("unetseg-infer", entry, this, &error);
  if (thread_ == nullptr) {
    const ErrorPtr owned(error);
    throw std::runtime_error(std::string("no thread for inference: ") + owned->message);
  }
}

Worker::~Worker() {
  if (last_) return;  // this is that thread
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  changed_.notify_all();
  g_thread_join(thread_);
}

void Worker::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return busy_ || quit_; });
    if (!busy_) break;
    lock.unlock();
    std::exception_ptr thrown;
    try {
      job_();  // nobody else touches it while busy_
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    thrown_ = std::move(thrown);
    busy_ = false;
    changed_.notify_all();
  }
  const Job last = last_;
  lock.unlock();
  if (last) last();  // nothing of this object is left
}

void Worker::hand_over(const Job& job) {
  thrown_ = nullptr;
  job_ = job;
  busy_ = true;
  changed_.notify_all();
}

void Worker::rethrow() {
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

void Worker::run(const Job& job) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
  hand_over(job);
  changed_.wait(lock, [this] { return !busy_; });
  rethrow();
}

bool Worker::is_busy() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return busy_;
}

Waited Worker::wait_for(std::unique_lock<std::mutex>& lock, const Deadline& deadline,
                        bool flushes) {
  const auto ends = [&] { return (flushes && flushing_) || !busy_; };
  if (!deadline)
    changed_.wait(lock, ends);
  else if (!changed_.wait_until(lock, *deadline, ends))
    return Waited::late;
  return flushes && flushing_ ? Waited::flushing : Waited::done;
}

bool Worker::post(const Job& job) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (wait_for(lock, {}, true) != Waited::done) return false;
  hand_over(job);
  return true;
}

Waited Worker::wait(Deadline deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  const Waited waited = wait_for(lock, deadline, true);
  if (waited == Waited::done) rethrow();
  return waited;
}

Waited Worker::wait_until_idle(Deadline deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  return wait_for(lock, deadline, true);
}

bool Worker::drain(Deadline deadline) {
  std::unique_lock<std::mutex> lock(mutex_);
  return wait_for(lock, deadline, false) == Waited::done;
}

void Worker::leave(const Job& last) {
  const std::lock_guard<std::mutex> lock(mutex_);
  g_thread_unref(thread_);
  last_ = last;
  quit_ = true;
  changed_.notify_all();  // the lock keeps this object alive
}

void Worker::set_flushing(bool flushing) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    flushing_ = flushing;
  }
  changed_.notify_all();
}

}  // namespace unetseg
