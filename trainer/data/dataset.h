// SPDX-License-Identifier: MIT
// Which image belongs to which mask and to which split, found from folder and file names alone.
#pragma once

#include <string>
#include <vector>

#include "model/error.h"

namespace unetseg::trainer {

struct Pair {
  std::string id;     // "ISIC_0000001"
  std::string image;  // path
  std::string mask;   // path; empty where a pair without truth is allowed
  // Where a manifest tells them: the files' content, as in DecodedSet::sha256, and the patient or
  // video that the picture is of.
  std::string sha256 = {}, group = {};
};

struct Dataset {
  std::string layout;  // what was recognised, for people: "ISIC 2017", "images/ and masks/"
  std::string root;    // the folder, or the manifest's file
  std::vector<Pair> train, validation, test;  // ordered by id; a split that is not there is empty
  const std::vector<Pair>& split(
      const std::string& name) const;  // "train", "validation", "test"; Error(settings)
};

// A data set that cannot be used: one line per fault, all of them, each naming its file. Exit
// code 3.
class DataError : public std::runtime_error {
 public:
  explicit DataError(std::vector<std::string> faults);
  const std::vector<std::string>& faults() const { return faults_; }

 private:
  std::vector<std::string> faults_;
};

// Recognises below `root`: the ISIC 2017 layout (and 2018's and 2016's names, `_Segmentation` and
// `_segmentation`, without regard to case; `_superpixels.png` and CSV files are ignored), or
// images/ and masks/, each optionally inside train/, val/ or validation/, test/; PH2. A file in
// place of a folder is a manifest (manifest.h). Throws DataError listing every missing mask, mask
// without image, duplicate id, and folder without images.
Dataset find_dataset(const std::string& root);

// Pairs of two plain folders by base name (a mask may end in _segmentation or _mask).
std::vector<Pair> pair_folders(const std::string& images, const std::string& masks);

// The same for two folders of masks; `predictions` takes the place of the images.
std::vector<Pair> pair_predictions(const std::string& predictions, const std::string& masks);

}  // namespace unetseg::trainer
