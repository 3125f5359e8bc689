// SPDX-License-Identifier: MIT
// The pictures of a folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

struct PictureFolder {
  std::vector<std::filesystem::path> pictures;  // PNG, JPEG and BMP by their endings, sorted
  std::size_t others = 0;                       // files of other kinds
};

// False: *why says what is wrong with it and what to do. It must hold pictures, and no two whose
// names differ in their endings alone.
bool list_pictures(const std::string& folder, PictureFolder* list, std::string* why);
