// SPDX-License-Identifier: MIT
#include "trainer/commands/shipped_weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <vector>

#include "model/error.h"
#include "model/storage/install_folders.h"

namespace unetseg::trainer {
namespace {

constexpr InstallFolder kWeightsFolder = {"UNETSEG_WEIGHTS_DIR", UNETSEG_WEIGHTS_FROM_PROGRAM,
                                          UNETSEG_WEIGHTS_INSTALLED};

// Empty where it is not known.
std::string program_folder() {
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path();
}

}  // namespace

std::string weights_file(const std::string& name) {
  if (name != "fast" && name != "best") return name;
  std::vector<std::string> files = folders_of(kWeightsFolder, program_folder());
  if (files.empty())
    throw Error(Fault::settings,
                fmt::format("{} must be an absolute path: set it to the folder that holds the "
                            "weights, or leave it unset",
                            kWeightsFolder.variable));
  for (std::string& file : files) file += "/unetseg-" + name + ".safetensors";
  const std::string found = first_existing(files);
  if (found.empty())
    throw Error(
        Fault::not_found,
        fmt::format("the weights '{}' are not installed, there is no {}: install them, set {} to "
                    "their folder, or give a safetensors file",
                    name, listed(files), kWeightsFolder.variable));
  return found;
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
