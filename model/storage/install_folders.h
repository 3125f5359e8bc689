// SPDX-License-Identifier: MIT
// Where files that are installed along with a program or a plugin are looked for. In this header
// alone, since the plugin links none of the model's libraries.
#pragma once

#include <glib.h>
#include <sys/auxv.h>

#include <string>
#include <vector>

namespace unetseg {

// A folder of such files.
struct InstallFolder {
  const char* variable;     // of the environment, which alone counts where it is set
  const char* from_here;    // from the folder of what looks for it, so that a tree can be moved
  const char* compiled_in;  // as configured
};

// The folders to look in, in order; `here`: of what looks for them, empty where it is not known.
// The variable is ignored in a process that runs with raised privileges. Empty where the variable
// holds a relative path, which would mean another folder in every process.
inline std::vector<std::string> folders_of(const InstallFolder& folder, const std::string& here) {
  const char* set = getauxval(AT_SECURE) == 0 ? g_getenv(folder.variable) : nullptr;
  if (set != nullptr && *set != '\0') {
    if (!g_path_is_absolute(set)) return {};
    return {set};
  }
  std::vector<std::string> folders;
  if (!here.empty()) {
    char* from_here = g_canonicalize_filename(folder.from_here, here.c_str());
    folders.emplace_back(from_here);
    g_free(from_here);
  }
  if (folders.empty() || folders.front() != folder.compiled_in)
    folders.emplace_back(folder.compiled_in);
  return folders;
}

// The first of `paths` that exists, empty where none does; and all of them, for a message.
inline std::string first_existing(const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (g_file_test(path.c_str(), G_FILE_TEST_EXISTS)) return path;
  return {};
}

inline std::string listed(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) all += (all.empty() ? "" : " or ") + path;
  return all;
}

}  // namespace unetseg
