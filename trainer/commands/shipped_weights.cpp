// SPDX-License-Identifier: MIT
#include "trainer/commands/shipped_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include "model/error.h"

namespace unetseg::trainer {
namespace {

namespace fs = std::filesystem;

const char kVariable[] = "UNETSEG_WEIGHTS_DIR";

// An installed tree may have been moved: it is looked for from the program first.
std::vector<fs::path> folders() {
  const char* set = std::getenv(kVariable);
  if (set != nullptr && *set != '\0') return {set};
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  std::vector<fs::path> found;
  if (!unknown)
    found.push_back((program.parent_path() / UNETSEG_WEIGHTS_FROM_PROGRAM).lexically_normal());
  if (found.empty() || found.front() != UNETSEG_WEIGHTS_INSTALLED)
    found.emplace_back(UNETSEG_WEIGHTS_INSTALLED);
  return found;
}

}  // namespace

std::string weights_file(const std::string& name) {
  if (name != "fast" && name != "best") return name;
  std::vector<std::string> tried;
  for (const fs::path& folder : folders()) {
    tried.push_back(folder / ("unetseg-" + name + ".safetensors"));
    std::error_code ignored;
    if (fs::exists(tried.back(), ignored)) return tried.back();
  }
  throw Error(
      Fault::not_found,
      fmt::format("the weights '{}' are not installed, there is no {}: install them, set {} "
                  "to their folder, or give a safetensors file",
                  name, fmt::join(tried, " or "), kVariable));
}

CLI::Option* take_shipped_weights(CLI::Option* option) {
  const auto replace = [](std::string& name) -> std::string {
    try {
      name = weights_file(name);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  };
  return option->transform(CLI::Validator(replace, "FILE|fast|best"));
}

}  // namespace unetseg::trainer
