// SPDX-License-Identifier: MIT
// All pairs of a split decoded and judged as one set, with the faults gathered instead of thrown.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "trainer/data/decoded_set.h"
#include "trainer/data/parallel.h"
#include "trainer/data/split_summary.h"

namespace unetseg::trainer {

struct DecodedFiles {
  DecodedSet set;                   // of the usable pairs, in the order of `pairs`
  std::vector<PairFacts> facts;     // of the same pairs
  std::vector<std::string> notes;   // legal, but worth a line
  std::vector<std::string> faults;  // each names its file
  std::size_t unusable = 0;         // pairs; all of them where the set as a whole cannot be used
};

// Ignores `skip_bad` and `cache_folder`. Throws Error(no_space), Error(failed) where stopped,
// Error(settings) where this build reads no image files.
DecodedFiles decode_files(const std::vector<Pair>& pairs, const DecodeOptions& options,
                          const ItemProgress& progress, const std::atomic<bool>* stop);

}  // namespace unetseg::trainer
