// SPDX-License-Identifier: MIT
#include "plugin/backend_loader.h"

#include <gmodule.h>

#include <atomic>

#include "plugin/errors.h"
#include "plugin/fork_guard.h"
#include "plugin/install_path.h"
#include "plugin/other_libtorch.h"

namespace unetseg {
namespace {

[[noreturn]] void cannot_load(const std::string& text, const std::string& detail = {}) {
  throw Failure{GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT, text, detail};
}

std::string find_module() {
  std::vector<std::string> files = folders_of(kModuleFolder);
  if (files.empty())
    throw Failure{GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS,
                  std::string(kModuleFolder.variable) +
                      " must be an absolute path: set it to the folder that holds "
                      "libunetseg-torch." G_MODULE_SUFFIX ", or leave it unset",
                  std::string(kModuleFolder.variable) + "=" + g_getenv(kModuleFolder.variable)};
  for (std::string& file : files) file += "/libunetseg-torch." G_MODULE_SUFFIX;
  const std::string found = first_existing(files);
  if (found.empty())
    cannot_load("The backend module is missing, there is no " + listed(files) +
                ": reinstall unetseg, or set UNETSEG_MODULE_DIR to the folder that holds it");
  return found;
}

}  // namespace

const UnetsegBackend* load_backend() {
  const std::string file = find_module();
  // Once a module is open, the LibTorch that is found is its own.
  static std::atomic<bool> is_open{false};
  const std::string other = is_open ? "" : other_libtorch();
  if (!other.empty())
    cannot_load(
        "This program has already loaded another LibTorch than unetseg's, " + other +
        ", and two of them crash: use the one that unetseg was built with, or build unetseg "
        "with this one (meson setup -Dlibtorch:root=...)");
  GModule* module = g_module_open(file.c_str(), G_MODULE_BIND_LOCAL);
  if (module == nullptr)
    cannot_load("The backend module " + file + " cannot be loaded (" + g_module_error() +
                    "): reinstall unetseg together with the LibTorch that it was built for",
                g_module_error());
  gpointer symbol = nullptr;
  if (!g_module_symbol(module, UNETSEG_BACKEND_SYMBOL, &symbol) || symbol == nullptr) {
    // Closed, since an open module would hide the right one that is put in its place.
    g_module_close(module);
    cannot_load("The file " + file +
                " is not a backend module of unetseg, it has no " UNETSEG_BACKEND_SYMBOL
                ": reinstall unetseg");
  }
  const UnetsegBackend* backend = reinterpret_cast<UnetsegBackendGet>(symbol)();
  if (backend->abi != UNETSEG_BACKEND_ABI || backend->struct_size != sizeof(UnetsegBackend)) {
    const std::string numbers =
        "version " + std::to_string(backend->abi) + " with " +
        std::to_string(backend->struct_size) + " bytes, the plugin needs version " +
        std::to_string(UNETSEG_BACKEND_ABI) + " with " + std::to_string(sizeof(UnetsegBackend));
    g_module_close(module);
    cannot_load("The backend module " + file + " does not fit this plugin (it has " + numbers +
                "): install plugin and module of the same unetseg");
  }
  g_module_make_resident(module);
  is_open = true;
  watch_forks();
  return backend;
}

}  // namespace unetseg
