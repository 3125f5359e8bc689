// SPDX-License-Identifier: MIT
// Where the files that belong to the plugin lie.
#pragma once

#include <string>
#include <vector>

namespace unetseg {

// A folder that is installed along with the plugin.
struct InstallFolder {
  const char* variable;     // of the environment, which alone counts where it is set
  const char* from_plugin;  // from the folder of the plugin's own file
  const char* compiled_in;  // as configured
};

// The backend module, and the shipped weights.
extern const InstallFolder kModuleFolder, kWeightsFolder;

// The folders to look in, in order. The variable is ignored in a process that runs with raised
// privileges. Empty where the variable holds a relative path, which would mean another folder in
// every process.
std::vector<std::string> folders_of(const InstallFolder& folder);

// The first of `paths` that exists, empty where none does; and all of them, for a message.
std::string first_existing(const std::vector<std::string>& paths);
std::string listed(const std::vector<std::string>& paths);

}  // namespace unetseg
