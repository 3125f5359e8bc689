// SPDX-License-Identifier: MIT
// What was made of a file, once in the process for all that hold it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "model/error.h"
#include "model/storage/file_identity.h"

namespace unetseg {

// `How` is what else it depends on; ordered. Any thread.
template <typename How, typename Value>
class SharedByFile {
 public:
  using Shared = std::shared_ptr<const Value>;

  // Null where nobody holds one.
  Shared find(const FileIdentity& file, const How& how) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = values_.find({file, how});
    return found == values_.end() ? nullptr : found->second.lock();
  }

  // Returns `value`, or what another thread was faster to add.
  Shared add(const FileIdentity& file, const How& how, Shared value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto entry = values_.begin(); entry != values_.end();)
      entry = entry->second.expired() ? values_.erase(entry) : std::next(entry);
    std::weak_ptr<const Value>& entry = values_[{file, how}];
    if (Shared first = entry.lock()) return first;
    entry = value;
    return value;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<FileIdentity, How>, std::weak_ptr<const Value>> values_;
};

// Names the file in whatever error `call` throws, and the cure behind it.
template <typename Call>
void about_file(const std::string& file, const char* cure, Call call) {
  try {
    call();
  } catch (const Error& error) {
    throw Error(error.fault(), file + ": " + error.what() + cure, error.detail());
  }
}

}  // namespace unetseg
