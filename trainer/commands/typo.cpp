// SPDX-License-Identifier: MIT
#include "trainer/commands/typo.h"

#include <algorithm>
#include <map>

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

// What other trainers call it.
std::string by_another_name(const std::string& word, const std::vector<std::string>& candidates) {
  static const std::map<std::string, std::string> names = {
      {"lr", "learning-rate"}, {"bs", "batch-size"},   {"wd", "weight-decay"},
      {"aug", "augmentation"}, {"imgsz", "size"},      {"image-size", "size"},
      {"workers", "threads"},  {"pretrained", "init"}, {"out", "output"}};
  const std::size_t dashes = word.rfind("--", 0) == 0 ? 2 : 0;
  const auto known = names.find(word.substr(dashes));
  if (known == names.end()) return {};
  const std::string name = word.substr(0, dashes) + known->second;
  return std::count(candidates.begin(), candidates.end(), name) > 0 ? name : std::string();
}

constexpr std::size_t kTelling = 5;  // letters from which a beginning says what is meant

bool begins_with(const std::string& text, const std::string& beginning) {
  return beginning.size() >= kTelling && text.rfind(beginning, 0) == 0;
}

std::string as_an_abbreviation(const std::string& word,
                               const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates)
    if (begins_with(candidate, word)) return candidate;
  return {};
}

std::string as_a_longer_name(const std::string& word, const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates)
    if (begins_with(word, candidate)) return candidate;
  return {};
}

std::string by_its_letters(const std::string& word, const std::vector<std::string>& candidates) {
  std::string nearest;
  std::size_t least = 1 + word.size() / 3;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least || (distance == least && nearest.empty())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace

std::string typo_hint(const std::string& word, const std::vector<std::string>& candidates) {
  for (const auto search :
       {by_another_name, as_an_abbreviation, by_its_letters, as_a_longer_name}) {
    const std::string meant = search(word, candidates);
    if (!meant.empty()) return "; did you mean " + meant + "?";
  }
  return "";
}

}  // namespace unetseg::trainer
