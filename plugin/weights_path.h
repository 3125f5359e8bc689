// SPDX-License-Identifier: MIT
// From the model-file property to a file.
#pragma once

#include <string>

namespace unetseg {

// `fast` and `best` name the shipped weights; anything else is a path already, whose file is not
// looked at. Throws Failure (RESOURCE): NOT_FOUND where the shipped weights are not installed and
// for another word that is no file, SETTINGS for a relative UNETSEG_WEIGHTS_DIR.
std::string weights_path(const std::string& model_file);

}  // namespace unetseg
