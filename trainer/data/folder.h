// SPDX-License-Identifier: MIT
// Folders and names as data sets use them: listed in order, compared without regard to case.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace unetseg::trainer {

struct FolderEntry {
  std::string name, path;
  bool is_folder = false;
};

// Ordered by name, without hidden entries. Throws Error(not_found), Error(open_read).
std::vector<FolderEntry> list_folder(const std::string& path);

// The folder in `parent` of this name; where an archive was unpacked into a folder of its own name,
// the inner one.
std::optional<std::string> find_folder(const std::string& parent, const std::string& name);

// Makes `path` and what is missing above it. Throws Error(write).
void make_folder(const std::string& path);

// ASCII alone: what is no ASCII letter is left as it is.
std::string lower_case(std::string text);
bool has_suffix(const std::string& text, const std::string& suffix);

}  // namespace unetseg::trainer
