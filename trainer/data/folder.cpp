// SPDX-License-Identifier: MIT
#include "trainer/data/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "model/error.h"

namespace unetseg::trainer {

std::vector<FolderEntry> list_folder(const std::string& path) {
  std::error_code fault;
  std::filesystem::directory_iterator entries(path, fault);
  if (fault) {
    const bool missing = fault == std::errc::no_such_file_or_directory;
    throw Error(missing ? Fault::not_found : Fault::open_read,
                missing ? fmt::format("{}: no such folder", path)
                        : fmt::format("{}: cannot be listed: {}", path, fault.message()));
  }
  std::vector<FolderEntry> result;
  while (entries != std::filesystem::directory_iterator()) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;  // a broken link is listed, and found out when it is opened
    if (name[0] != '.')
      result.push_back({name, entries->path().string(), entries->is_directory(ignored)});
    entries.increment(fault);
    if (fault)
      throw Error(Fault::open_read, fmt::format("{}: cannot be listed: {}", path, fault.message()));
  }
  std::sort(result.begin(), result.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return result;
}

std::optional<std::string> find_folder(const std::string& parent, const std::string& name) {
  for (const FolderEntry& entry : list_folder(parent)) {
    if (!entry.is_folder || lower_case(entry.name) != lower_case(name)) continue;
    for (const FolderEntry& inner : list_folder(entry.path))
      if (inner.is_folder && inner.name == entry.name) return inner.path;
    return entry.path;
  }
  return std::nullopt;
}

void make_folder(const std::string& path) {
  std::error_code fault;
  std::filesystem::create_directories(path, fault);
  if (fault) throw Error(Fault::write, path + " cannot be created", fault.message());
}

std::string lower_case(std::string text) {
  for (char& letter : text)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return text;
}

bool has_suffix(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

}  // namespace unetseg::trainer
