// SPDX-License-Identifier: MIT
#include "trainer/data/check_dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "trainer/data/decode_files.h"
#include "trainer/data/near_duplicates.h"
#include "trainer/data/pairing.h"

namespace unetseg::trainer {
namespace {

constexpr int kCheckSide = 64;  // pixels: enough to tell pictures from each other

const std::string& image_of(const std::vector<Pair>& pairs, const std::string& id) {
  return std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.id == id; })
      ->image;
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
    for (const std::string& note : decoded.notes)
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
  return check;
}

}  // namespace unetseg::trainer
