// SPDX-License-Identifier: MIT
// Pictures that belong together, as those of one patient or of one video do, and a validation split
// that keeps them on one side.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"

namespace unetseg::trainer {

// Gives every pair the group that a table with the columns id and group names for it. Throws as
// CsvTable does, and DataError with a line for each pair without a group and each id with two.
void read_groups(const std::string& path, Dataset* dataset);

// Moves about `fraction` of the training pairs to validation: every k-th by order of id, or, where
// pairs have groups, whole groups, chosen by a hash of their names. The same pairs on every machine
// and in any order of files. Throws DataError where some pairs have no group, or all the same.
void split_off_validation(Dataset* dataset, double fraction);

// One line for each group with pictures in more than one split.
std::vector<std::string> groups_in_two_splits(const Dataset& dataset);

}  // namespace unetseg::trainer
