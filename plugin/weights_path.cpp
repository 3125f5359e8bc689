// SPDX-License-Identifier: MIT
#include "plugin/weights_path.h"

#include "plugin/errors.h"
#include "plugin/install_path.h"

namespace unetseg {

std::string weights_path(const std::string& model_file) {
  if (model_file != "fast" && model_file != "best") return model_file;
  std::vector<std::string> files = folders_of(kWeightsFolder);
  if (files.empty())
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                  std::string(kWeightsFolder.variable) +
                      " must be an absolute path: set it to the folder that holds the weights, or "
                      "leave it unset",
                  std::string(kWeightsFolder.variable) + "=" + g_getenv(kWeightsFolder.variable)};
  for (std::string& file : files) file += "/unetseg-" + model_file + ".safetensors";
  const std::string found = first_existing(files);
  if (found.empty())
    throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                  "The weights '" + model_file + "' are not installed, there is no " +
                      listed(files) +
                      ": install them, set UNETSEG_WEIGHTS_DIR to their folder, or set model-file "
                      "to a safetensors file",
                  ""};
  return found;
}

}  // namespace unetseg
