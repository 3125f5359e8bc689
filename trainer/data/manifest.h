// SPDX-License-Identifier: MIT
// A data set and its splits written down: a table with the columns id,image,mask,split,sha256 and,
// where groups are known, group. Paths are relative to the table's folder; sha256 is that of the
// image file and that of the mask file in hexadecimal, joined by ':'.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/dataset.h"
#include "trainer/data/decoded_set.h"

namespace unetseg::trainer {

struct ManifestEntry {
  Pair pair;  // paths are empty where the set came decoded, without its files
  std::string split;
};
using Manifest = std::vector<ManifestEntry>;

// Appends the samples of `set`, which were decoded from some of `pairs`.
void add_to_manifest(Manifest* manifest, const std::string& split, const std::vector<Pair>& pairs,
                     const DecodedSet& set);

// Atomic. Throws Error(write), Error(no_space).
void write_manifest(const std::string& path, const Manifest& manifest);

// The splits as they are written, each ordered by id. The columns sha256 and group may be missing,
// and others are ignored. What cannot be used is left out and appended to `faults`, each line
// naming its row. Throws as CsvTable does.
Dataset read_manifest(const std::string& path, std::vector<std::string>* faults);

// One line for each file of the pair that is not the one that its manifest was written for, given
// what the files are now ("image:mask"). None where no manifest tells.
std::vector<std::string> changed_files(const Pair& pair, const std::string& sha256);

// Reads the files of all pairs that a manifest tells of, and throws DataError with a line for each
// that changed or cannot be read; for those who decode by themselves.
void require_unchanged(const std::vector<Pair>& pairs);

}  // namespace unetseg::trainer
