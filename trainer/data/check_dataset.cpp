// SPDX-License-Identifier: MIT
#include "trainer/data/check_dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "trainer/data/decode_files.h"
#include "trainer/data/groups.h"
#include "trainer/data/near_duplicates.h"
#include "trainer/data/pairing.h"

namespace unetseg::trainer {
namespace {

constexpr int kCheckSide = 64;  // pixels: enough to tell pictures from each other

const std::string& image_of(const std::vector<Pair>& pairs, const std::string& id) {
  return std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.id == id; })
      ->image;
}

// One line for each image whose file is in the split more than once.
std::vector<std::string> repeated_images(const std::vector<Pair>& pairs, const DecodedSet& set) {
  std::map<std::string, std::size_t> first;  // by hash
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto [place, is_new] = first.try_emplace(image_sha256(set, i), i);
    if (!is_new)
      lines.push_back(fmt::format("{} and {} are the same image",
                                  image_of(pairs, set.ids[place->second]),
                                  image_of(pairs, set.ids[i])));
  }
  return lines;
}

}  // namespace

DatasetCheck check_dataset(const std::string& root, bool stretch_masks, unsigned workers,
                           const std::function<void(std::size_t, std::size_t)>& progress,
                           const std::atomic<bool>* stop) {
  DatasetCheck check;
  check.dataset = find_dataset(root, &check.faults);
  const Dataset& dataset = check.dataset;
  const std::size_t total = dataset.train.size() + dataset.validation.size() + dataset.test.size();

  DecodeOptions options;
  options.width = options.height = kCheckSide;
  options.stretch_masks = stretch_masks;
  options.workers = workers;
  std::vector<std::pair<std::string, DecodedSet>> splits;
  std::size_t before = 0;
  for (const char* name : {"train", "validation", "test"}) {
    const std::vector<Pair>& pairs = dataset.split(name);
    const auto show = [&](std::size_t done, std::size_t) {
      if (progress) progress(before + done, total);
    };
    DecodedFiles decoded = decode_files(pairs, options, show, stop);
    before += pairs.size();
    check.faults.insert(check.faults.end(), decoded.faults.begin(), decoded.faults.end());
    if (!pairs.empty())
      check.summary.push_back(fmt::format("{}: {} images with masks", name, pairs.size()));
    for (const std::string& line : summary_of(decoded.facts)) check.summary.push_back("  " + line);
    for (const std::string& note : decoded.notes)
      check.notes.push_back(std::string(name) + ": " + note);
    for (const std::string& note : repeated_images(pairs, decoded.set))
      check.notes.push_back(std::string(name) + ": " + note);
    for (const auto& [other, set] : splits) {
      for (const std::string& line : shared_images(other, set, name, decoded.set))
        check.faults.push_back(line);
      for (const NearDuplicate& found : near_duplicates(set, decoded.set))
        check.notes.push_back(
            fmt::format("{} and {}: {} and {} are nearly the same image "
                        "(similarity {:.2f})",
                        other, name, image_of(dataset.split(other), set.ids[found.first]),
                        image_of(pairs, decoded.set.ids[found.second]), found.similarity));
    }
    add_to_manifest(&check.manifest, name, pairs, decoded.set);
    splits.emplace_back(name, std::move(decoded.set));
  }
  const std::vector<std::string> groups = groups_in_two_splits(dataset);
  check.notes.insert(check.notes.end(), groups.begin(), groups.end());
  return check;
}

}  // namespace unetseg::trainer
