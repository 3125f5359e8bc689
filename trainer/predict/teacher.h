// SPDX-License-Identifier: MIT
// Trained networks that another learns from: what they find in the pictures of a training set.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "model/backend/backend.h"
#include "trainer/data/decoded_set.h"
#include "trainer/data/parallel.h"

namespace unetseg::trainer {

struct TeacherOptions {
  std::vector<std::string> weights;
  UnetsegTta augmentation = UNETSEG_TTA_D4;
  std::string device = "cpu";  // or "cuda:N"
  UnetsegPrecision precision = UNETSEG_PRECISION_AUTO;
  unsigned threads = 0;  // 0: all cores
};

// The SHA-256 of each file's tensors. Throws Error(settings) where one cannot teach (its outputs
// are no probabilities, or it takes pictures otherwise than training does), and as
// read_safetensors() does.
std::vector<std::string> teacher_hashes(const std::vector<std::string>& weights);

// As DecodedSet::found: of each picture the mean of what all networks find in it and in its
// mirrored and turned copies, each network at its own input size. Always the same on the same
// device with the same precision. `progress` counts pictures. Throws as make_engine() and
// teacher_hashes() do, and Error(failed) where `stop` ended it.
std::vector<std::uint8_t> found_by_teachers(const TeacherOptions& options, const DecodedSet& set,
                                            const ItemProgress& progress,
                                            const std::atomic<bool>& stop);

}  // namespace unetseg::trainer
