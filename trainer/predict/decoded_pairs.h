// SPDX-License-Identifier: MIT
// Pictures and true masks to be scored, from files, the next pair decoded while one is used.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/image_files.h"
#include "trainer/data/parallel.h"

namespace unetseg::trainer {

// A mask file as 0 and 255, by the same rules as masks to train on. A prediction may be a map of
// probabilities, all of them low; a truth with label-like values is Error(read). Throws as
// read_gray() does.
enum class MaskRole { truth, prediction };
Image read_mask(const std::string& path, MaskRole role);

struct DecodedPair {
  const Pair& pair;
  Image input;  // the picture, or the mask that is scored
  Image truth;  // one channel, 0 or 255
};

enum class PairInput { picture, mask };

// Calls `work` for each pair, in order, on the calling thread. Returns false where `stop` ended it.
// Files that cannot be used are passed over and listed by the DataError that ends the call; what
// `work` throws ends it at once.
bool for_each_decoded(const std::vector<Pair>& pairs, PairInput input,
                      const std::function<void(const DecodedPair&)>& work,
                      const ItemProgress& progress, const std::atomic<bool>& stop);

}  // namespace unetseg::trainer
