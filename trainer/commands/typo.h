// SPDX-License-Identifier: MIT
// What somebody who mistyped a name probably meant.
#pragma once

#include <string>
#include <vector>

namespace unetseg::trainer {

// "; did you mean NAME?" with the candidate nearest to `word`, counted in letters put in, left out,
// exchanged or swapped with their neighbour; empty where none is near. Names that begin alike count
// as near.
std::string typo_hint(const std::string& word, const std::vector<std::string>& candidates);

}  // namespace unetseg::trainer
