// SPDX-License-Identifier: MIT
#include "plugin/install_path.h"

#include <dlfcn.h>
#include <glib.h>

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
  return folders_of(folder, plugin_folder());
}

}  // namespace unetseg
