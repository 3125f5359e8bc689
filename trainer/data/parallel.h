// SPDX-License-Identifier: MIT
// The same work on many items, by several threads, with the first exception carried to the caller.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

namespace unetseg::trainer {

// Work on one item, by its index.
using ItemWork = std::function<void(std::size_t)>;

// Called with (done, total) from the thread that waits.
using ItemProgress = std::function<void(std::size_t, std::size_t)>;

// `make_work` is called once in each of `workers` threads (0: one per core, 16 at most) and may
// hold what that thread alone uses. Returns when every item is done. The first exception ends the
// work and is thrown here; so does `*stop`, as Error(failed).
void for_each_item(std::size_t items, unsigned workers, const std::function<ItemWork()>& make_work,
                   const ItemProgress& progress = {}, const std::atomic<bool>* stop = nullptr);

}  // namespace unetseg::trainer
