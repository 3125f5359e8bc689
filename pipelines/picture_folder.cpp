// SPDX-License-Identifier: MIT
#include "picture_folder.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <system_error>

namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".bmp";
}

std::string what_is_wrong(const std::string& folder, const std::error_code& error) {
  if (error == std::errc::no_such_file_or_directory) return folder + ": no such folder";
  if (error == std::errc::not_a_directory) return folder + " is a file: give a folder of pictures";
  return folder + " cannot be read: " + error.message();
}

bool have_names_of_their_own(const std::vector<fs::path>& files, std::string* why) {
  std::map<std::string, fs::path> by_name;
  for (const fs::path& file : files) {
    const auto added = by_name.emplace(file.stem().string(), file);
    if (added.second) continue;
    *why = added.first->second.string() + " and " + file.string() + " would both become " +
           file.stem().string() + ".png: rename one of them";
    return false;
  }
  return true;
}

}  // namespace

bool list_pictures(const std::string& folder, PictureFolder* list, std::string* why) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;  // what cannot be looked at is told when it is read
    if (at->is_directory(ignored)) continue;
    if (is_picture(at->path()) && !at->is_other(ignored))
      list->pictures.push_back(at->path());
    else
      ++list->others;
  }
  if (error) {
    *why = what_is_wrong(folder, error);
    return false;
  }
  if (list->pictures.empty()) {
    *why = folder + " holds no .png, .jpg or .bmp files";
    return false;
  }
  std::sort(list->pictures.begin(), list->pictures.end());
  return have_names_of_their_own(list->pictures, why);
}
