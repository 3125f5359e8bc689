// SPDX-License-Identifier: MIT
#include "model/engine/compute_threads.h"

#include <algorithm>
#include <map>
#include <utility>

#include "model/error.h"

namespace unetseg {

ComputeThreads::ComputeThreads(unsigned team, std::function<void()> on_start)
    : on_start_(std::move(on_start)),
      most_leaders_(std::max(1u, g_get_num_processors() / std::max(1u, team))) {}

ComputeThreads::~ComputeThreads() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  work_.notify_all();
  for (GThread* leader : leaders_) g_thread_join(leader);
}

std::shared_ptr<ComputeThreads> ComputeThreads::shared(unsigned team,
                                                       std::function<void()> on_start) {
  struct Registry {
    std::mutex mutex;
    std::map<unsigned, std::weak_ptr<ComputeThreads>> by_team;
  };
  // Never freed: a process may end while sessions are open.
  static Registry& registry = *new Registry;
  const std::lock_guard<std::mutex> lock(registry.mutex);
  std::weak_ptr<ComputeThreads>& entry = registry.by_team[team];
  std::shared_ptr<ComputeThreads> threads = entry.lock();
  if (!threads) {
    threads = std::make_shared<ComputeThreads>(team, std::move(on_start));
    entry = threads;
  }
  return threads;
}

void ComputeThreads::run(const std::function<void()>& job) {
  Job mine = {&job, false, nullptr};
  std::unique_lock<std::mutex> lock(mutex_);
  if (idle_ <= waiting_.size() && leaders_.size() < most_leaders_) start_leader();
  waiting_.push_back(&mine);
  work_.notify_one();
  done_.wait(lock, [&mine] { return mine.done; });
  if (mine.thrown) std::rethrow_exception(mine.thrown);
}

// One more, or the job waits for those that there are.
void ComputeThreads::start_leader() {
  const auto entry = [](gpointer self) -> gpointer {
    static_cast<ComputeThreads*>(self)->lead();
    return nullptr;
  };
  GError* error = nullptr;
  GThread* leader = g_thread_try_new("unetseg-compute", entry, this, &error);
  if (leader != nullptr) {
    leaders_.push_back(leader);
    return;
  }
  const std::string why = error->message;
  g_error_free(error);
  if (leaders_.empty())
    throw Error(Fault::failed, "There is no thread to run the network on: close other programs",
                why);
}

void ComputeThreads::lead() {
  on_start_();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return !waiting_.empty() || quit_; });
    --idle_;
    if (waiting_.empty()) return;
    Job* job = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    std::exception_ptr thrown;
    try {
      (*job->work)();
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    job->thrown = std::move(thrown);
    job->done = true;
    done_.notify_all();
  }
}

}  // namespace unetseg
