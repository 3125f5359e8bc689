// SPDX-License-Identifier: MIT
#include "trainer/data/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

constexpr unsigned kMostByItself = 16;  // each may hold a whole decoded picture

struct Shared {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> ended{false};  // by an exception
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t done = 0;          // under mutex
  unsigned running = 0;          // under mutex
  std::exception_ptr exception;  // under mutex
};

void work_through(Shared* shared, std::size_t items, const std::function<ItemWork()>& make_work,
                  const std::atomic<bool>* stop) {
  try {
    const ItemWork work = make_work();
    while (!shared->ended && !(stop != nullptr && *stop)) {
      const std::size_t i = shared->next.fetch_add(1);
      if (i >= items) break;
      work(i);
      const std::lock_guard<std::mutex> lock(shared->mutex);
      ++shared->done;
      shared->changed.notify_one();
    }
  } catch (...) {
    shared->ended = true;
    const std::lock_guard<std::mutex> lock(shared->mutex);
    if (!shared->exception) shared->exception = std::current_exception();
  }
  const std::lock_guard<std::mutex> lock(shared->mutex);
  --shared->running;
  shared->changed.notify_one();
}

// Joins whatever was started, however the scope is left.
class Threads {
 public:
  explicit Threads(Shared* shared) : shared_(shared) {}
  ~Threads() {
    if (std::uncaught_exceptions() > 0) shared_->ended = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

  template <typename Body>
  void start(Body body) {
    {
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      ++shared_->running;
    }
    try {
      threads_.emplace_back(body);
    } catch (const std::system_error&) {  // fewer threads than wished for are enough
      const std::lock_guard<std::mutex> lock(shared_->mutex);
      --shared_->running;
      if (threads_.empty()) throw Error(Fault::no_space, "no thread can be started");
    }
  }

 private:
  Shared* shared_;
  std::vector<std::thread> threads_;
};

}  // namespace

void for_each_item(std::size_t items, unsigned workers, const std::function<ItemWork()>& make_work,
                   const ItemProgress& progress, const std::atomic<bool>* stop) {
  if (workers == 0) workers = std::clamp(std::thread::hardware_concurrency(), 1u, kMostByItself);
  workers = static_cast<unsigned>(std::min<std::size_t>(workers, std::max<std::size_t>(1, items)));

  Shared shared;
  {
    Threads threads(&shared);
    for (unsigned i = 0; i < workers; ++i)
      threads.start([&] { work_through(&shared, items, make_work, stop); });
    std::unique_lock<std::mutex> lock(shared.mutex);
    std::size_t shown = 0;
    while (shared.running > 0) {
      shared.changed.wait(lock);
      if (shared.done == shown || !progress) continue;
      shown = shared.done;
      lock.unlock();
      progress(shown, items);
      lock.lock();
    }
  }
  if (shared.exception) std::rethrow_exception(shared.exception);
  if (shared.done < items) throw Error(Fault::failed, "stopped before all files were read");
}

}  // namespace unetseg::trainer
