// SPDX-License-Identifier: MIT
#include "trainer/commands/typo.h"

#include <algorithm>

namespace unetseg::trainer {
namespace {

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::string typo_hint(const std::string& word, const std::vector<std::string>& candidates) {
  std::string nearest;
  std::size_t least = 1 + word.size() / 3;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least || (distance == least && nearest.empty())) {
      least = distance;
      nearest = candidate;
    }
  }
  // An abbreviation, or a name that goes on.
  for (const std::string& candidate : candidates)
    if (nearest.empty() && std::min(word.size(), candidate.size()) >= 5 &&
        (candidate.rfind(word, 0) == 0 || word.rfind(candidate, 0) == 0))
      nearest = candidate;
  return nearest.empty() ? "" : "; did you mean " + nearest + "?";
}

}  // namespace unetseg::trainer
