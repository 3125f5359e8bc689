// SPDX-License-Identifier: MIT
#include "whole_picture.h"

#include <cstdlib>

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

std::uint32_t little_endian(const std::vector<std::uint8_t>& file, std::size_t at, int bytes) {
  std::uint32_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | file[at + static_cast<std::size_t>(i)];
  return value;
}

// Rows are padded to four bytes. Of compressed ones (1, 2) the header tells the size together.
bool is_whole_bmp(const std::vector<std::uint8_t>& file) {
  constexpr std::size_t kHeader = 54;
  if (file.size() < 18) return false;
  if (little_endian(file, 14, 4) < kHeader - 14) return true;  // OS/2's: left to its decoder
  if (file.size() < kHeader) return false;
  const std::uint32_t begin = little_endian(file, 10, 4), compression = little_endian(file, 30, 4);
  if (begin > file.size()) return false;
  const std::uint64_t present = file.size() - begin;
  if (compression == 1 || compression == 2) return present >= little_endian(file, 34, 4);
  const std::uint64_t width = little_endian(file, 18, 4), bits = little_endian(file, 28, 2);
  const auto height = static_cast<std::int32_t>(little_endian(file, 22, 4));
  const std::int64_t rows = std::abs(std::int64_t{height});  // negative: from the top
  const std::uint64_t row = (width * bits + 31) / 32 * 4;
  return row == 0 || present / row >= static_cast<std::uint64_t>(rows);
}

}  // namespace

bool is_bmp(const std::vector<std::uint8_t>& file) {
  return file.size() >= 2 && file[0] == 'B' && file[1] == 'M';
}

bool is_whole(const std::vector<std::uint8_t>& file) {
  const bool is_jpeg = file.size() >= 2 && file[0] == 0xff && file[1] == kStart;
  if (is_jpeg) return is_whole_jpeg(file);
  return !is_bmp(file) || is_whole_bmp(file);
}
