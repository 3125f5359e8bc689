// SPDX-License-Identifier: MIT
// What somebody who mistyped a name probably meant.
#pragma once

#include <string>
#include <vector>

namespace unetseg::trainer {

// "; did you mean NAME?" with the candidate that other trainers call `word`, that begins alike, or
// that is nearest to it, counted in letters put in, left out, exchanged or swapped with their
// neighbour; empty where there is none.
std::string typo_hint(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace unetseg::trainer
