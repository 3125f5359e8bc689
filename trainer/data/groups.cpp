// SPDX-License-Identifier: MIT
#include "trainer/data/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "trainer/data/csv.h"
#include "trainer/data/file_bytes.h"
#include "trainer/data/folder.h"

namespace unetseg::trainer {
namespace {

void split_off_every_kth(Dataset* dataset, double wanted) {
  const auto size = static_cast<double>(dataset->train.size());
  const std::size_t stride =
      std::max<std::size_t>(2, static_cast<std::size_t>(std::lround(size / std::max(1.0, wanted))));
  std::vector<Pair> kept;
  for (std::size_t i = 0; i < dataset->train.size(); ++i)
    (i % stride == stride - 1 ? dataset->validation : kept).push_back(dataset->train[i]);
  dataset->train = kept;
}

struct Group {
  std::string hash, name;
  std::size_t pairs;
};

// In an order that has nothing to do with their names or sizes.
std::vector<Group> groups_of(const std::vector<Pair>& pairs) {
  std::map<std::string, std::size_t> counts;
  std::vector<std::string> faults;
  for (const Pair& pair : pairs) {
    if (pair.group.empty())
      faults.push_back(fmt::format("{}: has no group, and others have", pair.image));
    ++counts[pair.group];
  }
  if (!faults.empty()) throw DataError(faults);
  if (counts.size() < 2)
    throw DataError({fmt::format("all images are of one group, {}: none can be kept for validation",
                                 counts.begin()->first)});
  std::vector<Group> groups;
  for (const auto& [name, count] : counts)
    groups.push_back({sha256_of(name.data(), name.size()), name, count});
  std::sort(groups.begin(), groups.end(),
            [](const Group& a, const Group& b) { return a.hash < b.hash; });
  return groups;
}

void split_off_groups(Dataset* dataset, double wanted) {
  const std::vector<Group> groups = groups_of(dataset->train);
  std::map<std::string, bool> chosen;
  double taken = 0;
  // A group is taken where that comes nearer to what is wanted.
  for (const Group& group : groups) {
    const auto pairs = static_cast<double>(group.pairs);
    chosen[group.name] = taken + pairs / 2 <= wanted;
    if (chosen[group.name]) taken += pairs;
  }
  if (taken == 0)
    chosen[std::min_element(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
             return a.pairs < b.pairs;
           })->name] = true;
  const auto middle = std::stable_partition(dataset->train.begin(), dataset->train.end(),
                                            [&](const Pair& pair) { return !chosen[pair.group]; });
  dataset->validation.assign(middle, dataset->train.end());
  dataset->train.erase(middle, dataset->train.end());
}

}  // namespace

void read_groups(const std::string& path, Dataset* dataset) {
  const CsvTable table(path, {"id", "group"});
  std::vector<std::string> faults;
  std::map<std::string, std::size_t> rows;  // by id in lower case
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto [first, is_new] = rows.try_emplace(lower_case(table.cell(i, "id")), i);
    if (!is_new && table.cell(first->second, "group") != table.cell(i, "group"))
      faults.push_back(fmt::format("{} and {}: two groups for {}", table.place(first->second),
                                   table.place(i), table.cell(i, "id")));
  }
  for (std::vector<Pair>* split : {&dataset->train, &dataset->validation, &dataset->test})
    for (Pair& pair : *split) {
      const auto row = rows.find(lower_case(pair.id));
      pair.group = row == rows.end() ? std::string() : table.cell(row->second, "group");
      if (pair.group.empty())
        faults.push_back(fmt::format("{}: has no group in {}", pair.image, path));
    }
  if (!faults.empty()) throw DataError(faults);
}

void split_off_validation(Dataset* dataset, double fraction) {
  const double wanted = fraction * static_cast<double>(dataset->train.size());
  const bool grouped = std::any_of(dataset->train.begin(), dataset->train.end(),
                                   [](const Pair& pair) { return !pair.group.empty(); });
  if (grouped)
    split_off_groups(dataset, wanted);
  else
    split_off_every_kth(dataset, wanted);
}

std::vector<std::string> groups_in_two_splits(const Dataset& dataset) {
  std::map<std::string, std::map<std::string, const Pair*>> seen;  // by group and split
  for (const char* name : {"train", "validation", "test"})
    for (const Pair& pair : dataset.split(name))
      if (!pair.group.empty()) seen[pair.group].emplace(name, &pair);
  std::vector<std::string> lines;
  for (const auto& [group, splits] : seen) {
    if (splits.size() < 2) continue;
    std::string line = fmt::format("group {} is in more than one split:", group);
    for (const auto& [name, pair] : splits) line += fmt::format(" {} ({})", pair->id, name);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace unetseg::trainer
