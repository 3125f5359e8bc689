// SPDX-License-Identifier: MIT
#include "trainer/data/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "trainer/data/folder.h"
#include "trainer/data/manifest.h"
#include "trainer/data/pairing.h"

namespace unetseg::trainer {
namespace {

using Faults = std::vector<std::string>;
using Split = std::vector<Pair> Dataset::*;

// One split of a layout that two folder names below the root give away.
struct SplitFolders {
  const char* layout;
  Split split;
  const char *parent, *images, *masks;  // `parent`: a folder between, or empty
};

constexpr const char* kPlain = "images/ and masks/";
constexpr SplitFolders kLayouts[] = {
    {"ISIC 2016", &Dataset::train, "", "ISBI2016_ISIC_Part1_Training_Data",
     "ISBI2016_ISIC_Part1_Training_GroundTruth"},
    {"ISIC 2016", &Dataset::test, "", "ISBI2016_ISIC_Part1_Test_Data",
     "ISBI2016_ISIC_Part1_Test_GroundTruth"},
    {"ISIC 2017", &Dataset::train, "", "ISIC-2017_Training_Data",
     "ISIC-2017_Training_Part1_GroundTruth"},
    {"ISIC 2017", &Dataset::validation, "", "ISIC-2017_Validation_Data",
     "ISIC-2017_Validation_Part1_GroundTruth"},
    {"ISIC 2017", &Dataset::test, "", "ISIC-2017_Test_v2_Data",
     "ISIC-2017_Test_v2_Part1_GroundTruth"},
    {"ISIC 2018", &Dataset::train, "", "ISIC2018_Task1-2_Training_Input",
     "ISIC2018_Task1_Training_GroundTruth"},
    {"ISIC 2018", &Dataset::validation, "", "ISIC2018_Task1-2_Validation_Input",
     "ISIC2018_Task1_Validation_GroundTruth"},
    {"ISIC 2018", &Dataset::test, "", "ISIC2018_Task1-2_Test_Input",
     "ISIC2018_Task1_Test_GroundTruth"},
    {kPlain, &Dataset::train, "", "images", "masks"},
    {kPlain, &Dataset::train, "train", "images", "masks"},
    {kPlain, &Dataset::validation, "val", "images", "masks"},
    {kPlain, &Dataset::validation, "validation", "images", "masks"},
    {kPlain, &Dataset::test, "test", "images", "masks"},
};

const char* name_of(Split split) {
  return split == &Dataset::train ? "train" : split == &Dataset::validation ? "validation" : "test";
}

void add_split(const SplitFolders& folders, Dataset* dataset, Faults* faults) {
  std::string parent = dataset->root;
  if (*folders.parent != '\0') {
    const auto found = find_folder(parent, folders.parent);
    if (!found) return;
    parent = *found;
  }
  const auto images = find_folder(parent, folders.images);
  const auto masks = find_folder(parent, folders.masks);
  if (!images && !masks) return;
  if (dataset->layout.empty()) {
    dataset->layout = folders.layout;
  } else if (dataset->layout.rfind(folders.layout, 0) != 0) {
    faults->push_back(fmt::format("{}: holds both {} and {}; give one of them a folder of its own",
                                  dataset->root, dataset->layout, folders.layout));
    return;
  }
  if (!images) {
    faults->push_back(
        fmt::format("{}: has no folder {} for the masks in {}", parent, folders.images, *masks));
  } else if (!masks && folders.split == &Dataset::train) {
    faults->push_back(
        fmt::format("{}: has no folder {} for the images in {}", parent, folders.masks, *images));
  } else if (!masks) {  // a challenge's test set before its masks were published
    dataset->layout += fmt::format(" (without {}: no masks)", name_of(folders.split));
  } else if (!(dataset->*folders.split).empty()) {
    faults->push_back(
        fmt::format("{}: is a second folder of {} images", *images, name_of(folders.split)));
  } else {
    dataset->*folders.split = pair_folders(*images, *masks, faults);
  }
}

// PH2: a folder for each image, with a folder for the picture and one for the lesion's mask.
bool add_ph2(Dataset* dataset, Faults* faults) {
  const std::string root = find_folder(dataset->root, "PH2 Dataset images").value_or(dataset->root);
  for (const FolderEntry& entry : list_folder(root)) {
    if (!entry.is_folder) continue;
    const auto images = find_folder(entry.path, entry.name + "_Dermoscopic_Image");
    if (!images) continue;
    const auto masks = find_folder(entry.path, entry.name + "_lesion");
    if (!masks) {
      faults->push_back(fmt::format("{}: has no folder {}_lesion", entry.path, entry.name));
      continue;
    }
    dataset->layout = "PH2";
    dataset->train.push_back({entry.name, fmt::format("{}/{}.bmp", *images, entry.name),
                              fmt::format("{}/{}_lesion.bmp", *masks, entry.name)});
  }
  return !dataset->train.empty();
}

void refuse_shared_ids(const Dataset& dataset, Faults* faults) {
  std::map<std::string, const Pair*> seen;
  for (const Split split : {&Dataset::train, &Dataset::validation, &Dataset::test})
    for (const Pair& pair : dataset.*split) {
      const auto [place, is_new] = seen.try_emplace(lower_case(pair.id), &pair);
      if (!is_new)
        faults->push_back(
            fmt::format("{} and {}: one id in two splits", place->second->image, pair.image));
    }
}

}  // namespace

DataError::DataError(std::vector<std::string> faults)
    : std::runtime_error(faults.empty()       ? "the data set cannot be used"
                         : faults.size() == 1 ? faults.front()
                                              : fmt::format("{} (and {} more faults)",
                                                            faults.front(), faults.size() - 1)),
      faults_(std::move(faults)) {}

const std::vector<Pair>& Dataset::split(const std::string& name) const {
  for (const Split split : {&Dataset::train, &Dataset::validation, &Dataset::test})
    if (name == name_of(split)) return this->*split;
  throw Error(Fault::settings,
              fmt::format("there is no split \"{}\": use train, validation or test", name));
}

Dataset find_dataset(const std::string& root, std::vector<std::string>* faults) {
  Dataset dataset;
  std::error_code ignored;  // what cannot be looked at is no manifest; listing it says why
  const bool is_file = std::filesystem::is_regular_file(root, ignored);
  if (is_file) dataset = read_manifest(root, faults);
  dataset.root = root;
  if (!is_file)
    for (const SplitFolders& folders : kLayouts) add_split(folders, &dataset, faults);
  if (dataset.layout.empty() && !add_ph2(&dataset, faults) && faults->empty())
    faults->push_back(
        fmt::format("{}: no data set is recognised; put pictures into images/ and masks/ (each may "
                    "be in train/, "
                    "val/ and test/), or keep the folder names of ISIC 2016, 2017, 2018 or PH2",
                    root));
  refuse_shared_ids(dataset, faults);
  return dataset;
}

Dataset find_dataset(const std::string& root) {
  std::vector<std::string> faults;
  Dataset dataset = find_dataset(root, &faults);
  if (!faults.empty()) throw DataError(faults);
  return dataset;
}

}  // namespace unetseg::trainer
