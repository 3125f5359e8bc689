// SPDX-License-Identifier: MIT
// Decoded sets on disk, under a name that stands for the content they were decoded from.
#pragma once

#include <string>
#include <vector>

#include "trainer/data/decoded_set.h"

namespace unetseg::trainer {

// A decoded set together with what decoding had to say about it.
struct CachedSet {
  DecodedSet set;
  std::vector<std::string> notes;
};

// The fingerprint of what decode() would give: for each pair its id and the content hashes
// ("image:mask", as in DecodedSet::sha256), and the options that change the result.
std::string cache_key(const std::vector<Pair>& pairs, const std::vector<std::string>& sha256,
                      const DecodeOptions& options);
std::string cache_path(const std::string& folder, const std::string& key);

// Creates the folder where there is none. Throws Error(write), Error(no_space).
void write_cached(const std::string& path, const CachedSet& cached);

// Checks everything against everything else. Throws Error with fault not_found, open_read, read,
// settings (a decoded set of another version) or no_space.
CachedSet read_cached(const std::string& path);

}  // namespace unetseg::trainer
