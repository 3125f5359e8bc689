// SPDX-License-Identifier: MIT
// Which build this is, for records and reports.
#pragma once

#include <string>

namespace unetseg::trainer {

// "unetseg-trainer 0.1.0, commit 0123456789ab, LibTorch 2.11.0".
std::string program_version();

}  // namespace unetseg::trainer
