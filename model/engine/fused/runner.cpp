// SPDX-License-Identifier: MIT
#include "model/engine/fused/runner.h"

#include <map>
#include <utility>

namespace unetseg::fused {

Runner::Runner(std::shared_ptr<const FusedModel> model, unsigned threads)
    : model_(std::move(model)),
      pool_(ThreadPool::shared(threads)),
      inference_(model_->network, pool_->threads()) {}

std::shared_ptr<Runner> Runner::shared(std::shared_ptr<const FusedModel> model, unsigned threads) {
  // Never freed: a process may end while sessions are open.
  using Key = std::pair<const FusedModel*, unsigned>;
  static auto& mutex = *new std::mutex;
  static auto& runners = *new std::map<Key, std::weak_ptr<Runner>>;
  const std::lock_guard<std::mutex> lock(mutex);
  for (auto entry = runners.begin(); entry != runners.end();)
    entry = entry->second.expired() ? runners.erase(entry) : std::next(entry);
  std::weak_ptr<Runner>& entry = runners[{model.get(), threads}];
  std::shared_ptr<Runner> runner = entry.lock();
  if (!runner) entry = runner = std::make_shared<Runner>(std::move(model), threads);
  return runner;
}

void Runner::run(const float* const* inputs, float* const* probabilities, int n) {
  const std::lock_guard<std::mutex> turn(turn_);
  inputs_ = inputs;
  probabilities_ = probabilities;
  if (n > 1 && static_cast<unsigned>(n) >= pool_->threads()) return run_side_by_side(n);
  for (int i = 0; i < n; ++i) inference_.run({inputs[i], probabilities[i]}, *pool_);
}

void Runner::run_side_by_side(int n) {
  while (alone_.size() < pool_->threads())
    alone_.push_back(std::make_unique<Inference>(model_->network, 1));
  if (pictures_.empty())
    pictures_.push_back({0,
                         [this](int i, unsigned thread) {
                           alone_[thread]->run_alone({inputs_[i], probabilities_[i]});
                         },
                         {}});
  pictures_.front().chunks = n;
  pool_->run(pictures_);
}

}  // namespace unetseg::fused
