// SPDX-License-Identifier: MIT
// Everything that is wrong with a data set, found in one go.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/manifest.h"

namespace unetseg::trainer {

struct DatasetCheck {
  Dataset dataset;                   // what was recognised; pairs that are not whole are missing
  std::vector<std::string> summary;  // of each split: sizes, shares of lesion
  std::vector<std::string> notes;    // legal, but worth a line, each beginning with its split
  std::vector<std::string> faults;   // empty: this data set can be trained on
  Manifest manifest;                 // of every usable pair
};

// Reads every file of every split. Throws Error alone, for what hides the data: no such folder,
// full memory, a build without image files, `*stop`. `progress` as for decode(), over all splits.
DatasetCheck check_dataset(const std::string& root, bool stretch_masks = false,
                           unsigned workers = 0,
                           const std::function<void(std::size_t, std::size_t)>& progress = {},
                           const std::atomic<bool>* stop = nullptr);

}  // namespace unetseg::trainer
