// SPDX-License-Identifier: MIT
// From --data to decoded sets, for the verbs that train.
#pragma once

#include <atomic>
#include <string>

#include "trainer/data/decoded_set.h"
#include "trainer/data/manifest.h"

namespace unetseg::trainer {

struct TrainingData {
  DecodedSet train, validation;
  // Of every id and file content of both: SHA-256 over texts that each end in a zero byte, namely
  // for training and then for validation the number of images, and of each its id and its sha256 as
  // the manifest has it. Folders, paths and formats of tables do not change it.
  std::string sha256;
  Manifest manifest;
};

struct TrainingDataOptions {
  std::string data;          // a data set's folder, its manifest, or a folder that `cache` wrote
  std::string cache_folder;  // of decoded pictures; empty: none
  int width = 128, height = 128;  // of the network's input
  int supersampling = 2;
  double validation_fraction = 0;  // taken from training where the set has no validation split
  std::string groups;              // table of each image's group, see groups.h; empty: none
  int skip_bad = 0;
  bool stretch_masks = false;
  bool resumed = false;  // a run that has begun keeps its images, whatever is found wrong with them
  unsigned workers = 0;
};

constexpr int kEpochTruthSide =
    512;  // pixels: epoch scores are taken on masks of at most this size

// Decodes (or reads) the training and validation splits; prints what was found to stderr. Throws
// DataError, Error.
TrainingData load_training_data(const TrainingDataOptions& options, const std::atomic<bool>& stop);

// The two files that `cache` writes below `folder` and that --data recognises there.
std::string cached_split_path(const std::string& folder, const std::string& split);

}  // namespace unetseg::trainer
