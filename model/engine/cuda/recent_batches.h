// SPDX-License-Identifier: MIT
// What was prepared for the batch sizes that are in use.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <utility>

namespace unetseg::cuda {

// At most `kMost` of them: what has not been used for the longest time gives way.
template <typename Prepared>
class RecentBatches {
 public:
  static constexpr std::size_t kMost = 4;

  // What `prepare` has made for this size, now or before. Where it throws nothing is kept of it,
  // but another size may have given way.
  template <typename Prepare>
  Prepared& at(int size, Prepare prepare) {
    const auto found = std::find_if(all_.begin(), all_.end(),
                                    [size](const auto& entry) { return entry.first == size; });
    if (found != all_.end()) {
      all_.splice(all_.begin(), all_, found);
    } else {
      if (all_.size() == kMost) all_.pop_back();
      all_.emplace_front(size, prepare());
    }
    return all_.front().second;
  }

  void clear() { all_.clear(); }
  std::size_t size() const { return all_.size(); }

 private:
  std::list<std::pair<int, Prepared>> all_;  // the last used first
};

}  // namespace unetseg::cuda
