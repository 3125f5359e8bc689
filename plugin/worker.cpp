// SPDX-License-Identifier: MIT
#include "plugin/worker.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "plugin/pointers.h"

namespace unetseg {

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
    if (!busy_) return;
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

bool Worker::post(const Job& job) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flushing_ || !busy_; });
  if (flushing_) return false;
  hand_over(job);
  return true;
}

bool Worker::wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flushing_ || !busy_; });
  if (flushing_) return false;
  rethrow();
  return true;
}

bool Worker::wait_until_idle() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return flushing_ || !busy_; });
  return !busy_;
}

void Worker::drain() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
}

void Worker::set_flushing(bool flushing) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    flushing_ = flushing;
  }
  changed_.notify_all();
}

}  // namespace unetseg
