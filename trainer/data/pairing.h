// SPDX-License-Identifier: MIT
// Images and masks brought together, with the faults gathered instead of thrown.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace unetseg::trainer {

// The pairs that are whole, ordered by id. Each missing mask, mask without image, duplicate id and
// folder without images appends a line to `faults`.
std::vector<Pair> pair_folders(const std::string& images, const std::string& masks,
                               std::vector<std::string>* faults);

// As find_dataset(), which see; what cannot be used is left out and appended to `faults`.
Dataset find_dataset(const std::string& root, std::vector<std::string>* faults);

}  // namespace unetseg::trainer
