// SPDX-License-Identifier: MIT
// Paths and names from files, made fit for a message: valid UTF-8, one line, bounded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg {

// Bytes that are no UTF-8 are replaced; nothing is cut off.
std::string shown_path(const std::string& path);

// In single quotes, control characters and quotes escaped, shortened to about 80 bytes.
std::string shown_name(const std::string& name);

// "2,3,4"; empty for no values.
std::string comma_separated(const std::vector<std::int64_t>& values);

}  // namespace unetseg
