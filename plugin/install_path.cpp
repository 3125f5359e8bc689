// SPDX-License-Identifier: MIT
#include "plugin/install_path.h"

#include <dlfcn.h>
#include <glib.h>
#include <sys/auxv.h>

#include "plugin/pointers.h"

namespace unetseg {
namespace {

// Folder of the shared object that holds this function, links resolved; empty where unknown.
std::string plugin_folder() {
  Dl_info here = {};
  if (dladdr(&kModuleFolder, &here) == 0 || here.dli_fname == nullptr) return {};
  const StringPtr file(g_canonicalize_filename(here.dli_fname, nullptr));
  char* resolved = realpath(file.get(), nullptr);
  if (resolved == nullptr) return {};
  const StringPtr folder(g_path_get_dirname(resolved));
  std::free(resolved);
  return folder.get();
}

}  // namespace

const InstallFolder kModuleFolder = {"UNETSEG_MODULE_DIR", UNETSEG_MODULES_FROM_PLUGIN,
                                     UNETSEG_MODULES_INSTALLED};
const InstallFolder kWeightsFolder = {"UNETSEG_WEIGHTS_DIR", UNETSEG_WEIGHTS_FROM_PLUGIN,
                                      UNETSEG_WEIGHTS_INSTALLED};

std::vector<std::string> folders_of(const InstallFolder& folder) {
  const char* set = getauxval(AT_SECURE) == 0 ? g_getenv(folder.variable) : nullptr;
  if (set != nullptr && *set != '\0') {
    if (!g_path_is_absolute(set)) return {};
    return {set};
  }
  std::vector<std::string> folders;
  const std::string plugin = plugin_folder();
  if (!plugin.empty()) {
    const StringPtr relative(g_canonicalize_filename(folder.from_plugin, plugin.c_str()));
    folders.emplace_back(relative.get());
  }
  if (folders.empty() || folders.front() != folder.compiled_in)
    folders.emplace_back(folder.compiled_in);
  return folders;
}

std::string first_existing(const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    if (g_file_test(path.c_str(), G_FILE_TEST_EXISTS)) return path;
  return {};
}

std::string listed(const std::vector<std::string>& paths) {
  std::string all;
  for (const std::string& path : paths) all += (all.empty() ? "" : " or ") + path;
  return all;
}

}  // namespace unetseg
