// SPDX-License-Identifier: MIT
#include "trainer/data/pairing.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "trainer/data/folder.h"

namespace unetseg::trainer {
namespace {

struct NamedFile {
  std::string id, path;
};
using FilesById = std::map<std::string, NamedFile>;  // key: the id in lower case

enum class Role { image, mask };

// The file's id, or empty where it is none of ours: the challenge's folders hold superpixel maps,
// CSV and text files too.
std::string id_of(const std::string& name, Role role) {
  const std::string lower = lower_case(name);
  std::size_t length = 0;
  for (const char* ending : {".jpg", ".jpeg", ".png", ".bmp"})
    if (has_suffix(lower, ending)) length = lower.size() - std::string(ending).size();
  std::string base = lower.substr(0, length);
  if (has_suffix(base, "_superpixels")) return {};
  if (role == Role::mask)
    for (const char* ending : {"_segmentation", "_mask"})
      if (has_suffix(base, ending)) {
        length -= std::string(ending).size();
        break;
      }
  return name.substr(0, length);
}

FilesById files_of(const std::string& folder, Role role, std::vector<std::string>* faults) {
  FilesById files;
  for (const FolderEntry& entry : list_folder(folder)) {
    if (entry.is_folder) continue;
    const std::string id = id_of(entry.name, role);
    if (id.empty()) continue;
    const auto [place, is_new] = files.try_emplace(lower_case(id), NamedFile{id, entry.path});
    if (!is_new)
      faults->push_back(
          fmt::format("{} and {}: two files for one id", place->second.path, entry.path));
  }
  if (files.empty()) faults->push_back(fmt::format("{}: holds no .jpg, .png or .bmp file", folder));
  return files;
}

std::vector<Pair> pair_files(const FilesById& image_files, const std::string& images,
                             const FilesById& mask_files, const std::string& masks,
                             std::vector<std::string>* faults) {
  std::vector<Pair> pairs;
  if (image_files.empty() || mask_files.empty()) return pairs;
  for (const auto& [key, image] : image_files) {
    const auto mask = mask_files.find(key);
    if (mask == mask_files.end())
      faults->push_back(fmt::format("{}: has no mask in {}", image.path, masks));
    else
      pairs.push_back({image.id, image.path, mask->second.path});
  }
  for (const auto& [key, mask] : mask_files)
    if (image_files.count(key) == 0)
      faults->push_back(fmt::format("{}: has no image in {}", mask.path, images));
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.id < b.id; });
  return pairs;
}

std::vector<Pair> pair_or_throw(Role first, const std::string& images, const std::string& masks) {
  std::vector<std::string> faults;
  const FilesById image_files = files_of(images, first, &faults);
  const FilesById mask_files = files_of(masks, Role::mask, &faults);
  std::vector<Pair> pairs = pair_files(image_files, images, mask_files, masks, &faults);
  if (!faults.empty()) throw DataError(faults);
  return pairs;
}

}  // namespace

std::vector<Pair> pair_folders(const std::string& images, const std::string& masks,
                               std::vector<std::string>* faults) {
  const FilesById image_files = files_of(images, Role::image, faults);
  const FilesById mask_files = files_of(masks, Role::mask, faults);
  return pair_files(image_files, images, mask_files, masks, faults);
}

std::vector<Pair> pair_folders(const std::string& images, const std::string& masks) {
  return pair_or_throw(Role::image, images, masks);
}

std::vector<Pair> pair_predictions(const std::string& predictions, const std::string& masks) {
  return pair_or_throw(Role::mask, predictions, masks);
}

}  // namespace unetseg::trainer
