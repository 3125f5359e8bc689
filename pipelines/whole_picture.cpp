// SPDX-License-Identifier: MIT
#include "whole_picture.h"

namespace {

constexpr std::uint8_t kStart = 0xd8, kEnd = 0xd9, kScan = 0xda;

// What is followed by data without a length: a scan's own (ff 00 is a byte ff of it, d0 to d7
// divide it), and the start.
bool stands_alone(std::uint8_t marker) {
  return marker == 0x00 || marker == 0x01 || (marker >= 0xd0 && marker <= kStart);
}

// From marker to marker, over the thumbnails that segments may hold, which have end markers too.
bool is_whole_jpeg(const std::vector<std::uint8_t>& file) {
  bool has_scan = false;
  for (std::size_t at = 2; at + 2 <= file.size();) {
    const std::uint8_t marker = file[at + 1];
    if (file[at] != 0xff || marker == 0xff) {  // a scan's data, or bytes that fill
      ++at;
      continue;
    }
    at += 2;
    if (marker == kEnd) return has_scan;
    if (stands_alone(marker)) continue;
    has_scan |= marker == kScan;
    if (at + 2 > file.size()) return false;
    at += static_cast<std::size_t>(file[at] << 8 | file[at + 1]);  // counts its own two bytes
  }
  return false;
}

}  // namespace

bool is_whole(const std::vector<std::uint8_t>& file) {
  const bool is_jpeg = file.size() >= 2 && file[0] == 0xff && file[1] == kStart;
  return !is_jpeg || is_whole_jpeg(file);
}
