// SPDX-License-Identifier: MIT
#include "model/engine/fused/thread_pool.h"

#include <algorithm>
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

// A ticket: 24 bits of the run's number, 20 of the stage, 20 of a share's next chunk. One of an
// earlier stage stands for the first chunk of its share: whoever takes that makes it one of the
// stage. A thread that comes late, with a stage that has ended, takes nothing: the stage could not
// end before somebody had changed the ticket of every share that had a chunk.
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

// The ticket without its chunk.
std::uint64_t without_chunk(std::uint64_t ticket) {
  return ticket & ~kChunkMask;
}
// Runs are counted round and round.
bool is_later(std::uint64_t ticket, std::uint64_t stage) {
  return static_cast<std::int64_t>(without_chunk(ticket) - stage) > 0;
}

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

ThreadPool::ThreadPool(unsigned threads) : shares_(std::max(1u, threads)) {
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

// Takes a chunk of the stage, of the thread's own share where one is left.
bool ThreadPool::take(std::uint64_t stage, int chunks, unsigned thread, int* chunk) {
  const auto shares = static_cast<int>(shares_.size());
  for (int i = 0; i < shares; ++i) {
    const int share = (static_cast<int>(thread) + i) % shares;
    const int first = chunks * share / shares, end = chunks * (share + 1) / shares;
    std::atomic<std::uint64_t>& next = shares_[static_cast<std::size_t>(share)].ticket;
    std::uint64_t ticket = next.load(std::memory_order_relaxed);
    while (!is_later(ticket, stage)) {
      *chunk = without_chunk(ticket) == stage ? chunk_of(ticket) : first;
      if (*chunk >= end) break;
      const std::uint64_t after = stage + static_cast<std::uint64_t>(*chunk) + 1;
      if (next.compare_exchange_weak(ticket, after, std::memory_order_relaxed)) return true;
    }
  }
  return false;
}

void ThreadPool::work_through(const std::vector<Stage>& stages, std::uint64_t run,
                              unsigned thread) {
  Patience patience;
  while (true) {
    const std::uint64_t current = stage_.load(std::memory_order_acquire);
    if (run_of(current) != run || stage_of(current) >= stages.size()) return;
    const Stage& stage = stages[stage_of(current)];
    int chunk;
    if (!take(current, stage.chunks, thread, &chunk)) {  // the last of them are under way elsewhere
      patience.wait();
      continue;
    }
    try {
      if (!failed_.load(std::memory_order_relaxed)) stage.work(chunk, thread);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!failed_.exchange(true)) thrown_ = std::current_exception();
    }
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == stage.chunks) {
      if (stage.finish && !failed_.load(std::memory_order_relaxed)) stage.finish();
      done_.store(0, std::memory_order_relaxed);
      stage_.store(make_ticket(run, stage_of(current) + 1), std::memory_order_release);
    }
    patience = {};
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
    stage_.store(make_ticket(run, 0), std::memory_order_release);
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
