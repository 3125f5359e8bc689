// SPDX-License-Identifier: MIT
// Whole files in memory, and their fingerprints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg::trainer {

// Never blocks on what is no regular file. Throws Error with fault not_found, open_read, read (I/O
// error, zero bytes, more than 1 GiB) or no_space, naming the path.
std::vector<std::uint8_t> read_file(const std::string& path);

// 64 hexadecimal digits.
std::string sha256_of(const void* bytes, std::size_t size);

// Throws as read_file does.
std::string sha256_of_file(const std::string& path);

}  // namespace unetseg::trainer
