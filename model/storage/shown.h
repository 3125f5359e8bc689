// SPDX-License-Identifier: MIT
// Paths and names from files, made fit for a message: valid UTF-8, one line, bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace unetseg {

// Bytes that are no UTF-8 are replaced; nothing is cut off.
std::string shown_path(const std::string& path);

// In single quotes, quotes escaped and control characters replaced, shortened to `most_bytes`.
std::string shown_name(const std::string& name, std::size_t most_bytes = 80);

// "2,3,4"; empty for no values.
std::string comma_separated(const std::vector<std::int64_t>& values);

}  // namespace unetseg
