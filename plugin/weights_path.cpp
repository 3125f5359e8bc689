// SPDX-License-Identifier: MIT
#include "plugin/weights_path.h"

#include "plugin/errors.h"
#include "plugin/install_path.h"

namespace unetseg {
namespace {

// A word that is no file was meant as the name of weights.
bool is_unknown_name(const std::string& model_file) {
  for (const char letter : model_file)
    if (!g_ascii_isalnum(letter) && letter != '-' && letter != '_') return false;
  return !g_file_test(model_file.c_str(), G_FILE_TEST_EXISTS);
}

}  // namespace

std::string weights_path(const std::string& model_file) {
  if (model_file != "fast" && model_file != "best") {
    if (is_unknown_name(model_file))
      throw Failure{GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND,
                    "There are no weights called '" + model_file +
                        "': set model-file to fast, best or a safetensors file",
                    ""};
    return model_file;
  }
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
