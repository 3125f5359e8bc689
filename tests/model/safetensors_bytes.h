// SPDX-License-Identifier: MIT
// Safetensors files put together by hand, good and bad ones.
#pragma once

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

// The eight bytes of a header's length.
inline std::string length_bytes(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> 8 * i & 0xff);
  return bytes;
}

inline std::string safetensors_bytes(const std::string& json, const std::string& data) {
  return length_bytes(json.size()) + json + data;
}

// A header's entry for one tensor.
inline std::string entry(const std::string& name, const std::string& dtype,
                         const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape +
         "],\"data_offsets\":[" + offsets + "]}";
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string bytes_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}
