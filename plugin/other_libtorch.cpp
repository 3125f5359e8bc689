// SPDX-License-Identifier: MIT
#include "plugin/other_libtorch.h"

#include <glib.h>
#include <link.h>

#include <cstdlib>

#include "plugin/pointers.h"

namespace unetseg {
namespace {

std::string resolved(const char* file) {
  char* found = realpath(file, nullptr);
  const std::string path = found != nullptr ? found : "";
  std::free(found);
  return path;
}

int find_libtorch(dl_phdr_info* object, size_t, void* file) {
  const StringPtr name(g_path_get_basename(object->dlpi_name));
  if (!g_str_has_prefix(name.get(), "libtorch_cpu.so")) return 0;
  *static_cast<std::string*>(file) = resolved(object->dlpi_name);
  return 1;
}

}  // namespace

std::string other_libtorch() {
  std::string loaded;
  dl_iterate_phdr(find_libtorch, &loaded);
  const std::string own = resolved(UNETSEG_LIBTORCH);  // may have been moved: nothing is known then
  return own.empty() || loaded == own ? "" : loaded;
}

}  // namespace unetseg
