// SPDX-License-Identifier: MIT
// Image files: strict decoding and writing. The only header behind which an image library stands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace unetseg::trainer {

struct Image {
  int width = 0, height = 0, channels = 0;  // channels: 3 (RGB) or 1
  std::vector<std::uint8_t> pixels;         // dense, interleaved
};

// Strict: a truncated or damaged file (OpenCV alone would return a full picture), zero bytes, more
// than 64 megapixels, 16-bit or CMYK are faults. EXIF orientation is ignored. Throws Error(read),
// Error(not_found), Error(settings) naming the file.
Image read_rgb(const std::string& path);
Image read_gray(const std::string& path);

// PNG or JPEG by the name's ending. Atomic. Throws Error(write).
void write_image(const std::string& path, const Image& image);

}  // namespace unetseg::trainer
