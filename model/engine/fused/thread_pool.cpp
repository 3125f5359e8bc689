// SPDX-License-Identifier: MIT
#include "model/engine/fused/thread_pool.h"

#include <map>
#include <system_error>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

namespace unetseg::fused {
namespace {

// A ticket: 24 bits of the run's number, 20 of the stage, 20 of the next chunk.
constexpr int kChunkBits = 20, kStageBits = 20;
constexpr std::uint64_t kChunkMask = (std::uint64_t{1} << kChunkBits) - 1;

std::uint64_t make_ticket(std::uint64_t run, std::uint64_t stage) {
  return (run << (kStageBits + kChunkBits)) | (stage << kChunkBits);
}
std::uint64_t run_of(std::uint64_t ticket) {
  return ticket >> (kStageBits + kChunkBits);
}
std::size_t stage_of(std::uint64_t ticket) {
  return static_cast<std::size_t>((ticket >> kChunkBits) & kChunkMask);
}
int chunk_of(std::uint64_t ticket) {
  return static_cast<int>(ticket & kChunkMask);
}
constexpr std::uint64_t kRunMask = (std::uint64_t{1} << 24) - 1;

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

#if defined(__linux__)
// The cores that the process had when it began to ask.
const cpu_set_t& all_cores() {
  static const cpu_set_t cores = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) CPU_ZERO(&set);
    return set;
  }();
  return cores;
}

int this_core() {
  return sched_getcpu();
}

void forbid_core(std::thread& thread, int core) {
  cpu_set_t others = all_cores();
  if (core < 0 || core >= CPU_SETSIZE) return;
  CPU_CLR(core, &others);
  if (CPU_COUNT(&others) > 0)
    pthread_setaffinity_np(thread.native_handle(), sizeof others, &others);
}
#else
int this_core() {
  return -1;
}
void forbid_core(std::thread&, int) {}
#endif

// Waits a little: the others' chunks take microseconds, unless their threads do not run.
class Patience {
 public:
  void wait() {
    if (++turns_ < kSpins)
      pause();
    else
      std::this_thread::yield();
  }

 private:
  static constexpr int kSpins = 2000;
  int turns_ = 0;
};

}  // namespace

ThreadPool::ThreadPool(unsigned threads) {
  for (unsigned i = 1; i < threads; ++i) {
    try {
      workers_.push_back({std::thread([this, i] { serve(i); })});
    } catch (const std::system_error&) {  // the caller and those that there are do it all
      break;
    }
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  wake_.notify_all();
  for (Worker& worker : workers_) worker.thread.join();
}

std::shared_ptr<ThreadPool> ThreadPool::shared(unsigned threads) {
  static std::mutex& mutex = *new std::mutex;
  static auto& pools = *new std::map<unsigned, std::weak_ptr<ThreadPool>>;
  const std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<ThreadPool> pool = pools[threads].lock();
  if (!pool) pools[threads] = pool = std::make_shared<ThreadPool>(threads);
  return pool;
}

void ThreadPool::work_through(const std::vector<Stage>& stages, std::uint64_t run,
                              unsigned thread) {
  Patience patience;
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (run_of(ticket) == run && stage_of(ticket) < stages.size()) {
    const Stage& stage = stages[stage_of(ticket)];
    if (chunk_of(ticket) >= stage.chunks) {  // the last of them are under way elsewhere
      patience.wait();
      ticket = ticket_.load(std::memory_order_acquire);
      continue;
    }
    if (!ticket_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel)) continue;
    try {
      if (!failed_.load(std::memory_order_relaxed)) stage.work(chunk_of(ticket), thread);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failed_.exchange(true)) thrown_ = std::current_exception();
    }
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == stage.chunks) {
      if (stage.finish && !failed_.load(std::memory_order_relaxed)) stage.finish();
      done_.store(0, std::memory_order_relaxed);
      ticket_.store(make_ticket(run, stage_of(ticket) + 1), std::memory_order_release);
    }
    patience = {};
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

// Linux likes to wake a thread where the one is that wakes it. There it waits for the caller, who
// is not done before its share is: at 30 frames a second most inferences took twice as long.
void ThreadPool::keep_off(int core) {
  for (Worker& worker : workers_) {
    if (worker.kept_off == core) continue;
    forbid_core(worker.thread, core);
    worker.kept_off = core;
  }
}

void ThreadPool::serve(unsigned thread) {
  std::uint64_t seen = 0;
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [&] { return quit_ || (stages_ != nullptr && run_ != seen); });
    if (quit_) return;
    const std::vector<Stage>& stages = *stages_;
    const std::uint64_t run = seen = run_;
    ++inside_;
    lock.unlock();
    work_through(stages, run, thread);
    lock.lock();
    if (--inside_ == 0) left_.notify_one();
  }
}

void ThreadPool::run(const std::vector<Stage>& stages) {
  const std::lock_guard<std::mutex> turn(turn_);
  std::uint64_t run;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    run = run_ = (run_ + 1) & kRunMask;
    failed_ = false;
    stages_ = &stages;
    ticket_.store(make_ticket(run, 0), std::memory_order_release);
  }
  if (!workers_.empty()) {
    keep_off(this_core());
    wake_.notify_all();
  }
  work_through(stages, run, 0);
  std::unique_lock<std::mutex> lock(mutex_);
  stages_ = nullptr;  // nobody begins any more
  left_.wait(lock, [&] { return inside_ == 0; });
  if (failed_) {
    const std::exception_ptr thrown = thrown_;
    thrown_ = nullptr;
    std::rethrow_exception(thrown);
  }
}

}  // namespace unetseg::fused
