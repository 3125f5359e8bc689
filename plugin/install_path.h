// SPDX-License-Identifier: MIT
// Where the files that belong to the plugin lie.
#pragma once

#include <string>
#include <vector>

#include "model/storage/install_folders.h"

namespace unetseg {

// The backend module, and the shipped weights.
extern const InstallFolder kModuleFolder, kWeightsFolder;

// The folders to look in, in order, the one beside the plugin's own file first.
std::vector<std::string> folders_of(const InstallFolder& folder);

}  // namespace unetseg
